//! Where a server comes from when none is named. The rig knows nothing of the server's insides: the
//! binary that holds both hands it in.

/// Starts servers.
pub trait Host {
    /// Starts one that serves on this machine, with options of its own.
    ///
    /// # Errors
    /// A sentence that says why not.
    fn start(&self, options: &[String]) -> Result<Box<dyn Hosted>, String>;
}

/// A server that was started. It ends when this is dropped.
pub trait Hosted {
    /// Its URL.
    fn endpoint(&self) -> &str;

    /// The process that it is, if it is one of its own.
    fn process(&self) -> Option<u32>;

    /// What it is, in a few words.
    fn description(&self) -> String;
}

/// Nobody who starts servers.
pub struct NoHost;

impl Host for NoHost {
    fn start(&self, _: &[String]) -> Result<Box<dyn Hosted>, String> {
        Err("say which --endpoint to measure.".to_owned())
    }
}

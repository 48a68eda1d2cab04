//! Where a run is made, and processor time of another process.

use crate::results::Setting;

/// What is worth knowing about this machine.
pub fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    settings.push(Setting::new("processor", format!("{model}, {cores} cores")));
    let memory = read("/proc/meminfo");
    if let Some(kilobytes) = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next())
        .and_then(|text| text.parse::<u64>().ok())
    {
        settings.push(Setting::new("memory", format!("{} MiB", kilobytes / 1024)));
    }
    let system = rustix::system::uname();
    settings.push(Setting::new(
        "system",
        format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
    ));
    settings
}

/// Processor time that a process has used, in nanoseconds; nothing where the system does not say.
pub fn process_cpu_ns(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything but ends with the last parenthesis; after it stands the state, and
    // user and system time are the 12th and 13th from there.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    Some((user + system).saturating_mul(1_000_000_000 / ticks))
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_uses_the_processor() {
        if cfg!(target_os = "linux") {
            assert!(super::process_cpu_ns(std::process::id()).is_some());
        }
        assert!(super::settings().len() >= 2);
    }
}

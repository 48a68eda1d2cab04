//! The report: one HTML file that needs nothing else, drawn by a script of its own.

use crate::failure::{Doing, Failure};
use crate::results::{Latency, Results};

const STYLE: &str = include_str!("report/report.css");
const SCRIPT: &str = include_str!("report/report.js");

/// The report of one run, or of several on the same axes; ratios are to the first.
///
/// # Errors
/// None that is known.
pub fn html(runs: &[Results]) -> Result<String, Failure> {
    let mut runs = runs.to_vec();
    for run in &mut runs {
        drop_histograms(run);
    }
    let data = serde_json::to_string(&runs).doing("the report can't be written")?;
    // Nothing in it may end the element that it stands in, or begin a comment there.
    let data = data.replace('<', "\\u003c");
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
         <title>stator bench</title>\n<style>\n{STYLE}</style>\n<body>\n\
         <script type=\"application/json\" id=\"runs\">{data}</script>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    ))
}

/// The curves are enough to draw; the histograms are for programs, in the JSON.
fn drop_histograms(run: &mut Results) {
    let whole = [
        &mut run.response,
        &mut run.service,
        &mut run.failed,
        &mut run.rig.lag,
    ];
    let parts = run
        .operations
        .iter_mut()
        .flat_map(|operation| [&mut operation.response, &mut operation.service]);
    whole
        .into_iter()
        .chain(parts)
        .for_each(|latency: &mut Latency| latency.histogram.clear());
}

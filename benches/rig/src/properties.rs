//! YCSB's property names, for those who have its workload files.

use std::collections::BTreeMap;

use crate::distribution::Distribution;
use crate::item::Size;
use crate::mix::{Job, Mix};
use crate::workload::Workload;

/// What may be given, with what it stands for here. Another one is refused: nothing is accepted and
/// then ignored, but for what names parts of YCSB itself.
const KNOWN: [&str; 37] = [
    "recordcount",
    "operationcount",
    "maxexecutiontime",
    "target",
    "threadcount",
    "table",
    "fieldcount",
    "fieldlength",
    "fieldlengthdistribution",
    "minfieldlength",
    "readallfields",
    "writeallfields",
    "readproportion",
    "updateproportion",
    "insertproportion",
    "scanproportion",
    "readmodifywriteproportion",
    "requestdistribution",
    "zipfianconstant",
    "hotspotdatafraction",
    "hotspotopnfraction",
    "minscanlength",
    "maxscanlength",
    "scanlengthdistribution",
    "insertorder",
    "zeropadding",
    "dynamodb.endpoint",
    "dynamodb.region",
    "dynamodb.primaryKey",
    "dynamodb.primaryKeyType",
    "dynamodb.consistentReads",
    // Of YCSB itself: which class makes the workload, how it reports.
    "workload",
    "db",
    "measurementtype",
    "exporter",
    "status.interval",
    "hdrhistogram.percentiles",
];

/// The properties that were given.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    values: BTreeMap<String, String>,
}

impl Properties {
    /// Adds `NAME=VALUE`.
    ///
    /// # Errors
    /// If there is no such property.
    pub fn add(&mut self, property: &str) -> Result<(), String> {
        let (name, value) = property
            .split_once('=')
            .ok_or_else(|| format!("write the property '{property}' as NAME=VALUE."))?;
        let name = name.trim();
        if !KNOWN.contains(&name) {
            return Err(format!("there is no property '{name}' here."));
        }
        self.values.insert(name.to_owned(), value.trim().to_owned());
        Ok(())
    }

    /// Adds those of a file: one in a line, with comments behind `#` or `!`.
    ///
    /// # Errors
    /// If there is no such property.
    pub fn add_file(&mut self, text: &str) -> Result<(), String> {
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with(['#', '!']))
            .try_for_each(|line| self.add(line))
    }

    /// Whether a property was given.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The value of a property.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    fn value<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        self.text(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| format!("'{text}' is no value of {name}."))
            })
            .transpose()
    }

    /// Jobs a second.
    ///
    /// # Errors
    /// If it is no number.
    pub fn rate(&self) -> Result<Option<f64>, String> {
        Ok(self.value("target")?.filter(|rate| *rate > 0.0))
    }

    /// Connections: YCSB has a thread for each.
    ///
    /// # Errors
    /// If it is no number.
    pub fn connections(&self) -> Result<Option<usize>, String> {
        Ok(self.value("threadcount")?.filter(|count| *count > 0))
    }

    /// How long to run at most.
    ///
    /// # Errors
    /// If it is no number.
    pub fn seconds(&self) -> Result<Option<u64>, String> {
        Ok(self
            .value("maxexecutiontime")?
            .filter(|seconds| *seconds > 0))
    }

    /// Changes a workload.
    ///
    /// # Errors
    /// If a value makes no sense.
    pub fn apply(&self, workload: &mut Workload) -> Result<(), String> {
        self.apply_mix(workload)?;
        self.apply_distribution(workload)?;
        self.apply_sizes(workload)?;
        let take = |name: &str, place: &mut u64| -> Result<(), String> {
            if let Some(value) = self.value(name)? {
                *place = value;
            }
            Ok(())
        };
        take("recordcount", &mut workload.records)?;
        take("minscanlength", &mut workload.scan_length.low)?;
        take("maxscanlength", &mut workload.scan_length.high)?;
        workload.records = workload.records.max(1);
        if let Some(operations) = self.value("operationcount")? {
            workload.operations = Some(operations);
        }
        if let Some(digits) = self.value("zeropadding")? {
            workload.digits = digits;
        }
        match self.text("scanlengthdistribution") {
            None | Some("uniform") => {}
            Some("zipfian") => workload.scan_length.zipfian = true,
            Some(other) => return Err(format!("'{other}' is no scanlengthdistribution.")),
        }
        match self.text("insertorder") {
            None => {}
            Some("hashed") => workload.ordered = false,
            Some("ordered") => workload.ordered = true,
            Some(other) => return Err(format!("'{other}' is no insertorder.")),
        }
        if let Some(all) = self.value("readallfields")? {
            workload.read_all_fields = all;
        }
        if let Some(all) = self.value("writeallfields")? {
            workload.write_all_fields = all;
        }
        if let Some(consistent) = self.value("dynamodb.consistentReads")? {
            workload.consistent = consistent;
        }
        if let Some(table) = self.text("table") {
            workload.table = table.to_owned();
        }
        if let Some(key) = self.text("dynamodb.primaryKey") {
            workload.partition_key = key.to_owned();
        }
        match self.text("dynamodb.primaryKeyType") {
            None | Some("HASH") => Ok(()),
            Some(other) => Err(format!(
                "dynamodb.primaryKeyType={other} is not offered: tables have a sort key when the \
                 mix has a query."
            )),
        }
    }

    fn apply_mix(&self, workload: &mut Workload) -> Result<(), String> {
        let names = [
            ("readproportion", Job::Get),
            ("updateproportion", Job::Update),
            ("insertproportion", Job::Insert),
            ("scanproportion", Job::Query),
            ("readmodifywriteproportion", Job::ReadModifyWrite),
        ];
        if !names.iter().any(|(name, _)| self.has(name)) {
            return Ok(());
        }
        let mut parts = Vec::new();
        for (name, job) in names {
            // One that is not given keeps the share of the preset, as a property in a file of
            // YCSB's would.
            let share = match self.value(name)? {
                Some(share) => share,
                None if self.has("readproportion") && self.has("updateproportion") => 0.0,
                None => workload.mix.share(job),
            };
            parts.push((job, share));
        }
        workload.mix = Mix::new(parts).ok_or("the proportions are all 0.")?;
        Ok(())
    }

    fn apply_distribution(&self, workload: &mut Workload) -> Result<(), String> {
        if let Some(name) = self.text("requestdistribution") {
            workload.distribution = Distribution::parse(name)?;
        }
        if let Distribution::Zipfian(theta) = &mut workload.distribution
            && let Some(text) = self.text("zipfianconstant")
        {
            match Distribution::parse(&format!("zipfian:{text}"))? {
                Distribution::Zipfian(given) => *theta = given,
                _ => return Err(format!("'{text}' is no zipfianconstant.")),
            }
        }
        if let Distribution::Hotspot { records, requests } = &mut workload.distribution {
            if let Some(share) = self.value("hotspotdatafraction")? {
                *records = share;
            }
            if let Some(share) = self.value("hotspotopnfraction")? {
                *requests = share;
            }
        }
        Ok(())
    }

    fn apply_sizes(&self, workload: &mut Workload) -> Result<(), String> {
        if let Some(fields) = self.value("fieldcount")? {
            workload.fields = fields;
        }
        let names = [
            "fieldcount",
            "fieldlength",
            "fieldlengthdistribution",
            "minfieldlength",
        ];
        if !names.iter().any(|name| self.has(name)) {
            return Ok(());
        }
        let fields = workload.fields;
        let length = self.value("fieldlength")?.unwrap_or(100) * fields;
        let least = self.value("minfieldlength")?.unwrap_or(1) * fields;
        workload.size = match self.text("fieldlengthdistribution") {
            None | Some("constant") => Size::Fixed(length),
            Some("uniform") => Size::Uniform(least, length.max(least)),
            Some("zipfian") => Size::Zipfian(least, length.max(least)),
            Some(other) => return Err(format!("'{other}' is no fieldlengthdistribution.")),
        };
        Ok(())
    }
}

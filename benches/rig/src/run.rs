//! A whole run: endpoint, table, load, measurement, results.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::check;
use crate::client::{Client, Keys, TABLE_OPERATIONS};
use crate::credentials::{Credentials, Environment};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::histogram::Times;
use crate::host::{Host, Hosted};
use crate::interval::{Interval, Outcome};
use crate::machine;
use crate::mix::Job;
use crate::options::{Options, Pace};
use crate::phase::{self, Limits, Seen, Setup, Watcher};
use crate::progress::Progress;
use crate::properties::Properties;
use crate::records::{Layout, Records};
use crate::results::{Count, FORMAT, Latency, Operation, Results, Setting, Slice};
use crate::schedule::Schedule;
use crate::signature::Signer;
use crate::source::{Budget, Generator, Loader, OPERATIONS, TARGET_PREFIX};
use crate::statistics::Asker;
use crate::stream::Connector;
use crate::view::ServerWatch;
use crate::workload::Workload;

/// How long answers are waited for when a run is over.
const DRAIN: Duration = Duration::from_secs(10);

/// What the load does about batches that were not taken whole.
const LOAD_RETRIES: u32 = 50;

/// A run that bounds itself by operations lasts at most so long.
const NO_END: Duration = Duration::from_secs(7 * 86_400);

/// Everything that is known before anything is asked of the endpoint.
pub struct Bench {
    options: Options,
    properties: Properties,
    workload: Workload,
    pace: Pace,
    seed: u64,
    endpoint: Endpoint,
    region: String,
    credentials: Credentials,
    connector: Connector,
    stop: Arc<AtomicBool>,
    hosted: Option<Box<dyn Hosted>>,
}

impl Bench {
    /// Reads the options, and starts a server if there is no endpoint.
    ///
    /// # Errors
    /// If something that was asked for makes no sense or is not there.
    pub fn new(options: Options, host: &dyn Host, stop: Arc<AtomicBool>) -> Result<Self, Failure> {
        let properties = options.read_properties()?;
        let workload = options.workload(&properties)?;
        let mut pace = options.pace(&properties)?;
        if workload.operations.is_some() {
            if options.duration.is_none() && !properties.has("maxexecutiontime") {
                pace.duration = NO_END;
            }
            if options.warm_up.is_none() {
                pace.warm_up = Duration::ZERO;
            }
        }
        let variable = |name: &str| std::env::var(name).ok();
        let environment = Environment::new(&variable);
        let profile = options.profile.as_deref();
        let option = options
            .region
            .as_deref()
            .or(properties.text("dynamodb.region"));
        let region = environment.region(option, profile)?;
        let named = options
            .endpoint
            .as_deref()
            .or(properties.text("dynamodb.endpoint"));
        if named.is_some() && !options.server.is_empty() {
            return Err(Failure::new(
                "options for a Stator of its own make no sense with --endpoint.",
            ));
        }
        let mut hosted = None;
        let endpoint = match named {
            Some("aws") => match &region {
                Some(region) => Endpoint::aws(region),
                None => return Err(Failure::new("say which --region of AWS to measure.")),
            },
            Some(url) => Endpoint::parse(url),
            None => {
                let started = host.start(&options.server).map_err(Failure)?;
                let endpoint = Endpoint::parse(started.endpoint());
                hosted = Some(started);
                endpoint
            }
        };
        let endpoint = endpoint.map_err(|wrong| Failure(format!("{wrong}.")))?;
        let credentials = match environment.credentials(profile)? {
            Some(credentials) => credentials,
            None if endpoint.is_aws() => {
                return Err(Failure::new(
                    "there are no credentials in the environment or in ~/.aws.",
                ));
            }
            // Whoever stands in for DynamoDB takes any.
            None => Credentials {
                access_key: "stator".to_owned(),
                secret_key: "stator".to_owned(),
                session_token: None,
            },
        };
        let authorities = variable("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
        Ok(Self {
            seed: options.seed.unwrap_or_else(crate::random::fresh_seed),
            connector: Connector::new(&endpoint, authorities.as_deref())?,
            options,
            properties,
            workload,
            pace,
            endpoint,
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            credentials,
            stop,
            hosted,
        })
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// When the run is to end early.
    pub fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// A signer that knows operations by the places of their targets.
    fn signer(&self, targets: impl IntoIterator<Item = String>) -> Signer {
        let credentials = self.credentials.clone();
        Signer::new(&self.endpoint.host, &self.region, credentials, targets)
    }

    /// A setup of phases whose requests have these targets.
    pub fn setup(&self, targets: impl IntoIterator<Item = String>) -> Setup {
        Setup {
            connector: self.connector.clone(),
            signer: self.signer(targets),
            connections: self.pace.connections,
            threads: self.pace.threads,
            stop: Arc::clone(&self.stop),
            seed: self.seed,
        }
    }

    fn client(&self) -> Client {
        let targets: Vec<String> = TABLE_OPERATIONS
            .iter()
            .map(|operation| format!("{TARGET_PREFIX}{operation}"))
            .collect();
        let signer = self.signer(targets.clone());
        Client::new(self.connector.clone(), signer, targets, &self.endpoint.host)
    }

    /// Makes and fills the table, measures, and removes what it has made. Nothing is returned if
    /// only the load was asked for.
    ///
    /// # Errors
    /// If the endpoint refuses what has to be done before the measurement.
    pub fn run(&mut self) -> Result<Option<Results>, Failure> {
        if let Some(path) = &self.options.replay {
            let speed = self.options.speed.unwrap_or(1.0);
            return crate::replay::replay(self, path, speed).map(Some);
        }
        if let Some((path, listen)) = self.options.record.as_ref().zip(self.options.listen) {
            let signer = self.signer([]);
            let passed =
                crate::proxy::record(listen, path, self.connector.clone(), signer, &self.stop)?;
            eprintln!("{} requests passed", crate::text::number(passed));
            return Ok(None);
        }
        let mut client = self.client();
        let table = self.workload.table.clone();
        let mut made = false;
        if self.options.no_load {
            client.require_table(&table)?;
        } else {
            let style = self.workload.key_style();
            made = client.prepare_table(&Keys {
                table: &table,
                partition: &self.workload.partition_key,
                sort: (style.layout != Layout::Simple).then_some(self.workload.sort_key.as_str()),
            })?;
        }
        let outcome = self.load_and_measure();
        if made && !self.options.keep_table && !self.options.load_only && self.hosted.is_none() {
            client.delete_table(&table)?;
        }
        outcome
    }

    fn load_and_measure(&mut self) -> Result<Option<Results>, Failure> {
        if !self.options.no_load {
            self.load()?;
        }
        if self.options.load_only || self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        // What is inserted stays, also from step to step of a sweep.
        let records = Arc::new(Records::new(self.workload.records));
        match self.options.sweep {
            Some(limit) => crate::sweep::sweep(self, limit, &records).map(Some),
            None => self.measure(self.pace.clone(), &records).map(Some),
        }
    }

    fn targets() -> impl Iterator<Item = String> {
        OPERATIONS
            .iter()
            .map(|operation| format!("{TARGET_PREFIX}{operation}"))
    }

    fn load(&self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut setup = self.setup(Self::targets());
        // More would only wait for one another.
        setup.connections = setup.connections.min(16);
        setup.threads = setup.threads.min(setup.connections);
        let next = Arc::new(AtomicU64::new(0));
        let limits = Limits {
            warm_up: Duration::ZERO,
            duration: NO_END,
            drain: DRAIN,
            timeout: self.pace.timeout,
            retries: LOAD_RETRIES,
        };
        let workload = &self.workload;
        let mut watch = Watch(Progress::new("loading", NO_END));
        let seen = phase::run(
            &setup,
            limits,
            &["load".to_owned()],
            |worker| Loader::new(workload.clone(), Arc::clone(&next), self.seed, worker),
            |_| None,
            &mut watch,
        )?;
        watch.0.end();
        if let Some(((_, outcome), count)) = seen.all.outcomes.first_key_value() {
            return Err(Failure(format!(
                "the table could not be filled: {count} batches failed, with {}.",
                outcome.name()
            )));
        }
        let seconds = began.elapsed().as_secs_f64();
        eprintln!(
            "loaded {} items in {seconds:.1} s",
            crate::text::number(workload.records)
        );
        Ok(())
    }

    /// One measurement at a pace.
    ///
    /// # Errors
    /// If the system gives the rig no threads.
    pub fn measure(&self, pace: Pace, records: &Arc<Records>) -> Result<Results, Failure> {
        let workload = &self.workload;
        let kinds = Generator::kinds(workload);
        let budget = Budget::new(workload.operations);
        let workers = pace.threads as u64;
        let source = |worker| {
            let (records, budget) = (Arc::clone(records), Arc::clone(&budget));
            Generator::new(
                workload.clone(),
                records,
                budget,
                self.seed,
                worker,
                workers,
            )
        };
        let schedule = |worker| {
            let rate = pace.rate?;
            Some(Schedule::new(
                pace.arrivals,
                rate,
                self.seed,
                worker,
                workers,
            ))
        };
        let setup = self.setup(Self::targets());
        self.observe(
            &setup,
            &pace,
            &kinds,
            self.configuration(&pace),
            source,
            schedule,
        )
    }

    /// Runs a phase that counts, and puts its results together.
    ///
    /// # Errors
    /// If the system gives the rig no threads.
    pub fn observe<S: crate::source::Source + 'static>(
        &self,
        setup: &Setup,
        pace: &Pace,
        kinds: &[String],
        configuration: Vec<Setting>,
        source: impl Fn(u64) -> S,
        schedule: impl Fn(u64) -> Option<Schedule>,
    ) -> Result<Results, Failure> {
        let process = self.hosted.as_ref().and_then(|hosted| hosted.process());
        let asker = Asker::new(&self.connector, &self.endpoint);
        let server = ServerWatch::new(process, asker, pace.warm_up);
        let total = pace.warm_up.saturating_add(pace.duration);
        let mut watch = Watch(Progress::new("measuring", total));
        let limits = Limits {
            warm_up: pace.warm_up,
            duration: pace.duration,
            drain: DRAIN,
            timeout: pace.timeout,
            retries: pace.retries,
        };
        let seen = phase::run(setup, limits, kinds, source, schedule, &mut watch)?;
        watch.0.end();
        let server = server.finish(&seen.all);
        let mut results = self.results(&seen, pace, kinds, configuration);
        results.server = server;
        results.interrupted = self.stop.load(Ordering::Relaxed);
        self.write_logs(&seen)?;
        Ok(results)
    }

    fn results(
        &self,
        seen: &Seen,
        pace: &Pace,
        kinds: &[String],
        configuration: Vec<Setting>,
    ) -> Results {
        let all = &seen.all;
        let response = all.response();
        let measured = seen.wall.saturating_sub(pace.warm_up);
        let operations = kinds.iter().zip(&all.kinds).map(|(name, kind)| Operation {
            name: name.clone(),
            requests: Job::requests(name).into_iter().map(str::to_owned).collect(),
            response: Latency::from(&kind.response),
            service: Latency::from(&kind.service),
        });
        let seconds = measured.as_secs_f64().max(1e-9);
        let wall_ns = u64::try_from(seen.wall.as_nanos()).unwrap_or(u64::MAX);
        let name = self
            .options
            .name
            .clone()
            .unwrap_or_else(|| self.endpoint.url());
        Results {
            format: FORMAT.to_owned(),
            name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: seen.started,
            configuration,
            machine: machine::settings(),
            seconds,
            offered_rate: pace.rate,
            achieved_rate: response.count() as f64 / seconds,
            response: Latency::from(&response),
            service: Latency::from(&all.service()),
            failed: Latency::from(&all.failed),
            operations: operations.collect(),
            outcomes: outcomes(all, kinds),
            retries: all
                .retries
                .iter()
                .map(|(outcome, count)| counted(None, outcome, *count))
                .collect(),
            reconnects: all.reconnects,
            warm_up_jobs: all.warm_up.count(),
            received: all.received,
            slices: seen.slices.clone(),
            rig: check::judge(all, &response, wall_ns, pace.threads, pace.rate.is_some()),
            server: None,
            interrupted: false,
            sweep: None,
        }
    }

    /// The logs of HdrHistogram, which the results do not hold.
    fn write_logs(&self, seen: &Seen) -> Result<(), Failure> {
        if let Some(path) = &self.options.hlog {
            crate::output::write(path, seen.log.text())?;
        }
        if let Some(path) = &self.options.hgrm {
            let response: Times = seen.all.response();
            crate::output::write(path, &crate::hlog::percentiles(&response))?;
        }
        Ok(())
    }

    /// What was asked for, line by line.
    fn configuration(&self, pace: &Pace) -> Vec<Setting> {
        let workload = &self.workload;
        let shares: Vec<String> = workload
            .mix
            .shares()
            .map(|(job, share)| format!("{} {:.4}", job.name(), share))
            .collect();
        let mut settings = self.common_configuration(pace);
        settings.extend([
            Setting::new("mix", shares.join(", ")),
            Setting::new("items", workload.records),
            Setting::new(
                "item size",
                format!("{:?}, {} fields", workload.size, workload.fields),
            ),
            Setting::new("distribution", format!("{:?}", workload.distribution)),
            Setting::new("strongly consistent reads", workload.consistent),
        ]);
        if let Some(letter) = self.options.workload {
            settings.insert(1, Setting::new("workload", letter));
        }
        settings
    }

    /// What any run has been asked for.
    pub fn common_configuration(&self, pace: &Pace) -> Vec<Setting> {
        let how = match pace.rate {
            Some(rate) => format!(
                "open loop, {rate:.0} a second, {:?} arrivals",
                pace.arrivals
            ),
            None => "closed loop".to_owned(),
        };
        let time = |time: Duration| {
            if time >= NO_END {
                "as long as it takes".to_owned()
            } else {
                format!("{} s", time.as_secs_f64())
            }
        };
        let mut settings = vec![
            Setting::new("endpoint", self.endpoint.url()),
            Setting::new("pace", how),
            Setting::new("connections", pace.connections),
            Setting::new("duration", time(pace.duration)),
            Setting::new("warm-up", time(pace.warm_up)),
            Setting::new("retries", pace.retries),
            Setting::new("seed", self.seed),
        ];
        if let Some(hosted) = &self.hosted {
            settings.insert(1, Setting::new("server", hosted.description()));
        }
        settings
    }

    /// The pace that the options ask for.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Whether a duration was asked for.
    pub fn has_duration(&self) -> bool {
        self.options.duration.is_some() || self.properties.has("maxexecutiontime")
    }

    /// Ends the server that was started.
    pub fn close(&mut self) {
        self.hosted = None;
    }
}

fn counted(operation: Option<&str>, outcome: &Outcome, count: u64) -> Count {
    Count {
        operation: operation.map(str::to_owned),
        class: outcome.class().to_owned(),
        name: outcome.name().to_owned(),
        count,
    }
}

fn outcomes(all: &Interval, kinds: &[String]) -> Vec<Count> {
    let mut counts: Vec<Count> = all
        .outcomes
        .iter()
        .map(|((kind, outcome), count)| {
            counted(kinds.get(*kind).map(String::as_str), outcome, *count)
        })
        .collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.count));
    counts
}

/// Shows a phase to people.
struct Watch(Progress);

impl Watcher for Watch {
    fn second(&mut self, slice: &Slice, all: &Interval) {
        self.0.second(slice, all);
    }
}

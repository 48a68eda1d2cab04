//! One request at a time, waited for: what has to be done before and after a run.

use std::io::{Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::answer::Incoming;
use crate::failure::{Doing, Failure};
use crate::interval::Outcome;
use crate::signature::Signer;
use crate::stream::Connector;

/// Asks an endpoint, one request at a time.
pub struct Client {
    connector: Connector,
    signer: Signer,
    targets: Vec<String>,
    host: String,
}

/// What an endpoint has refused.
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// The name of the error.
    pub name: String,
    /// Its words.
    pub message: String,
}

impl Refusal {
    fn is_retryable(&self) -> bool {
        Outcome::of(self.status, Some(self.name.clone())).is_retryable()
    }
}

impl Client {
    /// A client; its signer knows the operations that it may be asked for, by their places in
    /// `targets`.
    pub fn new(connector: Connector, signer: Signer, targets: Vec<String>, host: &str) -> Self {
        Self {
            connector,
            signer,
            targets,
            host: host.to_owned(),
        }
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// Outside if there was no answer, inside if it was a refusal.
    pub fn call(&mut self, target: &str, body: &Value) -> Result<Result<Value, Refusal>, Failure> {
        let place = self.targets.iter().position(|known| known == target);
        let place = place.ok_or_else(|| Failure(format!("'{target}' is not known here.")))?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut request = Vec::new();
        let body = body.to_string();
        self.signer
            .write(place, body.as_bytes(), now.as_secs(), &mut request);
        let (status, body) = self.exchange(&request)?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status == 200 {
            return Ok(Ok(answer));
        }
        let member = |names: [&str; 2]| {
            let found = names.iter().find_map(|name| answer.get(name)?.as_str());
            found.unwrap_or_default().to_owned()
        };
        let name = crate::answer::error_name(&body).unwrap_or_else(|| format!("HTTP {status}"));
        Ok(Err(Refusal {
            status,
            name,
            message: member(["message", "Message"]),
        }))
    }

    fn exchange(&self, request: &[u8]) -> Result<(u16, Vec<u8>), Failure> {
        let mut stream = self
            .connector
            .connect_and_wait(PATIENCE)
            .doing(format!("'{}' can't be reached", self.host))?;
        stream
            .write_all(request)
            .doing(format!("'{}' takes no request", self.host))?;
        let mut incoming = Incoming::default();
        loop {
            match incoming.answer() {
                Ok(Some(answer)) => return Ok((answer.status, answer.body.into_owned())),
                Ok(None) => {}
                Err(_) => {
                    return Err(Failure(format!("'{}' doesn't speak HTTP/1.1.", self.host)));
                }
            }
            let size = stream
                .read(incoming.room())
                .doing(format!("'{}' gives no answer", self.host))?;
            if size == 0 {
                return Err(Failure(format!("'{}' ended the connection.", self.host)));
            }
            incoming.filled(size);
        }
    }
}

/// How long an answer is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// DynamoDB lets tables be changed and looked at only so often: who is turned away waits, each time
/// twice as long, for 25 seconds in all.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(13);

/// The operations on tables that a run needs.
pub const TABLE_OPERATIONS: [&str; 3] = ["CreateTable", "DescribeTable", "DeleteTable"];

/// How long a table may take to be there, or gone.
const TABLE_PATIENCE: Duration = Duration::from_secs(300);

/// A table's keys, as a workload wants them.
pub struct Keys<'a> {
    /// The table.
    pub table: &'a str,
    /// Its partition key.
    pub partition: &'a str,
    /// Its sort key, if it is to have one.
    pub sort: Option<&'a str>,
}

impl Client {
    fn table_call(
        &mut self,
        operation: &str,
        body: &Value,
    ) -> Result<Result<Value, Refusal>, Failure> {
        let target = format!("{}{operation}", crate::source::TARGET_PREFIX);
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = self.call(&target, body)?;
            match &answer {
                Err(refusal) if refusal.is_retryable() && pause <= LONGEST_PAUSE => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                _ => return Ok(answer),
            }
        }
    }

    /// Makes a table unless it is there, and waits until it can be used. True if it was made.
    ///
    /// # Errors
    /// If the endpoint refuses, or the table has other keys.
    pub fn prepare_table(&mut self, keys: &Keys<'_>) -> Result<bool, Failure> {
        let mut schema = vec![json!({"AttributeName": keys.partition, "KeyType": "HASH"})];
        let mut types = vec![json!({"AttributeName": keys.partition, "AttributeType": "S"})];
        if let Some(sort) = keys.sort {
            schema.push(json!({"AttributeName": sort, "KeyType": "RANGE"}));
            types.push(json!({"AttributeName": sort, "AttributeType": "S"}));
        }
        let mut found = self.describe(keys.table)?;
        if found
            .as_ref()
            .is_some_and(|table| table.get("TableStatus") == Some(&json!("DELETING")))
        {
            self.wait_for(keys.table, |table| table.is_none())?;
            found = None;
        }
        let made = match found {
            Some(table) => {
                let found = table.get("KeySchema").and_then(Value::as_array);
                if found != Some(&schema) {
                    return Err(Failure(format!(
                        "the table '{}' is there with other keys than this workload has; choose \
                         another --table.",
                        keys.table
                    )));
                }
                false
            }
            None => {
                let body = json!({
                    "TableName": keys.table, "BillingMode": "PAY_PER_REQUEST",
                    "KeySchema": schema, "AttributeDefinitions": types,
                });
                self.table_call("CreateTable", &body)?
                    .map_err(|refusal| refused("the table can't be made", &refusal))?;
                true
            }
        };
        self.wait_for(keys.table, |table| {
            table.is_some_and(|table| table.get("TableStatus") == Some(&json!("ACTIVE")))
        })?;
        Ok(made)
    }

    /// Fails unless the table is there.
    ///
    /// # Errors
    /// If it is not, or cannot be asked for.
    pub fn require_table(&mut self, table: &str) -> Result<(), Failure> {
        match self.describe(table)? {
            Some(_) => Ok(()),
            None => Err(Failure(format!(
                "there is no table '{table}'; leave --no-load out, so that it is made."
            ))),
        }
    }

    /// Deletes a table.
    ///
    /// # Errors
    /// If the endpoint refuses.
    pub fn delete_table(&mut self, table: &str) -> Result<(), Failure> {
        self.table_call("DeleteTable", &json!({"TableName": table}))?
            .map_err(|refusal| refused("the table can't be deleted", &refusal))?;
        Ok(())
    }

    fn describe(&mut self, table: &str) -> Result<Option<Value>, Failure> {
        match self.table_call("DescribeTable", &json!({"TableName": table}))? {
            // Whoever does not describe it has it all the same.
            Ok(mut answer) => Ok(Some(
                answer.get_mut("Table").map_or(Value::Null, Value::take),
            )),
            Err(refusal) if refusal.name == "ResourceNotFoundException" => Ok(None),
            Err(refusal) => Err(refused("the table can't be looked at", &refusal)),
        }
    }

    fn wait_for(
        &mut self,
        table: &str,
        done: impl Fn(Option<&Value>) -> bool,
    ) -> Result<(), Failure> {
        let began = std::time::Instant::now();
        while !done(self.describe(table)?.as_ref()) {
            if began.elapsed() > TABLE_PATIENCE {
                return Err(Failure(format!(
                    "the table '{table}' is not ready after five minutes."
                )));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

fn refused(what: &str, refusal: &Refusal) -> Failure {
    Failure(format!("{what}: {}: {}", refusal.name, refusal.message))
}

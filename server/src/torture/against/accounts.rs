//! Accounts that all clients transfer between: whatever happens, nothing is gained or lost.

use serde_json::{Value, json};
use stator_torture::Draw;

use super::super::tables::{Item, Items, as_number, number, table};
use super::super::{CallError, Caller, Checked};
use crate::wire::Operation;

/// Accounts, and what is on each at the beginning.
const ACCOUNTS: u32 = 10;
const BALANCE: i64 = 1_000;

/// How their keys begin.
const PREFIX: &str = "account ";

fn key(account: u32) -> Value {
    json!({"pk": {"S": format!("{PREFIX}{account}")}})
}

/// Makes them.
pub(super) fn open(caller: &mut dyn Caller) -> Checked {
    for account in 0..ACCOUNTS {
        let mut item: Item = key(account).as_object().cloned().unwrap_or_default();
        item.insert("n".into(), number(BALANCE));
        let request = json!({"TableName": table(1).name, "Item": item});
        caller.ask(Operation::PutItem, &request)?;
    }
    Ok(())
}

/// Transfers and looks at them until the server is gone: how often.
///
/// # Errors
/// What was seen that should not have been.
pub(super) fn work(caller: &mut dyn Caller, draw: &mut Draw) -> Checked<u64> {
    let mut answered = 0;
    loop {
        let outcome = match draw.one_in(4) {
            true => look(caller),
            false => transfer(caller, draw),
        };
        match outcome {
            Ok(()) => answered += 1,
            Err(CallError::Gone(_)) => return Ok(answered),
            // Others are in the way, or there is too little on it.
            Err(CallError::Refused(name, _))
                if [
                    "TransactionCanceledException",
                    "ProvisionedThroughputExceededException",
                ]
                .contains(&name.as_str()) => {}
            Err(error) => return Err(format!("the accounts: {error}")),
        }
    }
}

fn transfer(caller: &mut dyn Caller, draw: &mut Draw) -> Result<(), CallError> {
    let from = draw.below(ACCOUNTS);
    let to = (from + 1 + draw.below(ACCOUNTS - 1)) % ACCOUNTS;
    let amount = draw.below(300);
    let update = |account: u32, by: i64| {
        json!({
            "TableName": table(1).name, "Key": key(account),
            "UpdateExpression": "ADD n :by",
            "ConditionExpression": "n >= :least",
            "ExpressionAttributeValues": {":by": number(by), ":least": number((-by).max(0))},
        })
    };
    let amount = i64::from(amount);
    let request = json!({"TransactItems": [
        {"Update": update(from, -amount)}, {"Update": update(to, amount)},
    ]});
    caller
        .call(Operation::TransactWriteItems, &request)
        .map(drop)
}

fn look(caller: &mut dyn Caller) -> Result<(), CallError> {
    let get = |account| json!({"Get": {"TableName": table(1).name, "Key": key(account)}});
    let gets: Vec<Value> = (0..ACCOUNTS).map(get).collect();
    let request = json!({"TransactItems": gets});
    let answer = caller.call(Operation::TransactGetItems, &request)?;
    let items = answer.get("Responses").and_then(Value::as_array);
    let items = items.into_iter().flatten();
    let balances = items.filter_map(|found| as_number(found.get("Item")?.as_object()?, "n"));
    match checked(balances) {
        Ok(()) => Ok(()),
        Err(why) => Err(CallError::Refused(why, answer)),
    }
}

/// Nothing was gained or lost.
pub(super) fn check(items: &Items) -> Checked {
    let accounts = items.iter().filter(|(key, _)| key.pk.starts_with(PREFIX));
    checked(accounts.filter_map(|(_, item)| as_number(item, "n")))
}

fn checked(balances: impl Iterator<Item = i64>) -> Checked {
    let balances: Vec<i64> = balances.collect();
    let right = balances.len() == ACCOUNTS as usize
        && balances.iter().sum::<i64>() == BALANCE * i64::from(ACCOUNTS)
        && balances.iter().all(|balance| *balance >= 0);
    match right {
        true => Ok(()),
        false => Err(format!("half a transfer: the accounts have {balances:?}")),
    }
}

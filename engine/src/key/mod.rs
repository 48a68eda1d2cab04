//! Keys: how a (keyspace, partition, sort) key and its sequence number become ordered bytes.

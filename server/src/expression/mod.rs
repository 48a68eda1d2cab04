//! DynamoDB's expression language: lexer, parser, evaluators.

//! Statements by their text alone: what is refused, and with which words.

use super::{Statement, StatementError};

/// What a statement is refused with.
fn refusal(text: &str) -> String {
    match Statement::parse(text) {
        Err(error) => error.to_string(),
        Ok(statement) => match statement.body() {
            super::Body::Select(super::Select {
                columns: Err(error),
                ..
            }) => error.to_string(),
            _ => format!("{text}: it is accepted"),
        },
    }
}

fn accepted(text: &str) -> Statement {
    Statement::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Recorded answers: `tests/tier3/error-messages/partiqlGrammar.test.ts`.
#[test]
fn what_is_malformed_is_refused_with_the_detail_of_the_parser() {
    const AFTER: &str = "Unexpected token after expression";
    for (text, detail) in [
        (r#"SELECT * FROM "n" WHERE pk = 1 foo"#, AFTER),
        (r#"SELECT * FROM "n" WHERE pk = 1 e5"#, AFTER),
        (r#"INSERT INTO "n" VALUE {'pk': 970001} foo"#, AFTER),
        (r#"UPDATE "n" SET a = 9 WHERE pk = 970002 foo"#, AFTER),
        (r#"DELETE FROM "n" WHERE pk = 970003 foo"#, AFTER),
        (r#"SELECT * FROM "n" WHERE pk = 1)"#, AFTER),
        (r#"DELETE FROM "n" WHERE pk = 970004 ORDER BY pk"#, AFTER),
        (r#"SELECT * FROM "n" ORDER BY pk WHERE pk = 1"#, AFTER),
        (r#"INSERT INTO "s" t VALUE {'pk': 'x'}"#, AFTER),
        (r#"FROM "s" SET c = 1 WHERE pk = 'x'"#, AFTER),
        (r#"FROM "s" SET c = 1 WHERE pk = 'x' SET d = 2"#, AFTER),
        (r#"SELECTT * FROMM "n""#, AFTER),
        (r#"SELECT * FROM "n" WHERE pk = 1e2147483648"#, ""),
        (r#"SELECT * FROM "n" WHERE pk = 1e99999999999"#, ""),
        (r#"SELECT * FROM "n" WHERE pk = 1.5e-2147483647"#, ""),
        (r#"SELECT * FROM "n" WHERE pk = 1 # note"#, ""),
        (r#"SELECT * FROM "n" WHERE pk = 1 /* note"#, ""),
        (r#"SELECT * FROM "n"#, ""),
        (r#"SELECT * FROM "s" WHERE"#, "Unexpected term"),
        (r#"SELECT * FROM "s" WHERE;"#, "Unexpected term"),
        (r#"SELECT * FROM "s" WHERE   "#, "Unexpected term"),
        (r#"UPDATE "s" SET a = 1 WHERE"#, "Unexpected term"),
        (r#"DELETE FROM "s" WHERE"#, "Unexpected term"),
        (r#"SELECT * FROM "s" WHERE NOT"#, "Unexpected term"),
        (r#"SELECT * FROM "s" WHERE ("#, "Unexpected term"),
        ("SELECT * FROM", "Unexpected term"),
        (
            r#"SELECT * FROM "s" WHERE pk = 'p1' AND"#,
            "Missing right-hand side expression of infix operator",
        ),
        (
            r#"SELECT * FROM "s" WHERE pk = 'p1' OR"#,
            "Missing right-hand side expression of infix operator",
        ),
        (
            r#"SELECT * FROM "s" WHERE ORDER BY pk"#,
            "Unexpected keyword",
        ),
        (
            "INSERT INTO urls (key, clicks) VALUES (?, ?)",
            "Unexpected keyword",
        ),
        (
            r#"SELECT * FROM "s" WHERE pk = 'a' AND x IS FOO"#,
            "Expected type name",
        ),
        (r#"SELECT * FROM "s" WHERE IS NULL"#, "Unexpected operator"),
        (
            r#"SELECT * FROM "s" WHERE pk = LIKE"#,
            "Unexpected operator",
        ),
        ("DELETE FROM", "Expected identifier for simple path"),
        ("DELETE FROM   ", "Expected identifier for simple path"),
        ("DELETE FROM;", "Expected identifier for simple path"),
        (
            "DELETE FROM WHERE pk = 'a'",
            "Expected identifier for simple path",
        ),
        (
            r#"SLECT * FROM "s" WHERE pk = 'a'"#,
            "Expected data manipulation",
        ),
        (
            "UPDATE Payment-x SET active=? WHERE id=?",
            "Expected data manipulation",
        ),
        (
            r#"SELECT * FROM "s" WHERE attribute_exists(m.inner)"#,
            "Invalid path dot component",
        ),
        (
            r#"UPDATE "s" SET m.inner = set_add(m.inner, <<'y'>>) WHERE pk = 'a'"#,
            "Invalid path dot component",
        ),
        (
            "SELECT * FROM (SELECT * FROM t ORDER BY pk LIMIT 3",
            "Expected RIGHT_PAREN",
        ),
    ] {
        let expected = format!("Statement wasn't well formed, can't be processed: {detail}");
        assert_eq!(refusal(text), expected, "{text}");
    }
}

/// Recorded answers: `partiqlGrammar.test.ts`, `partiqlFunctions.test.ts` and `partiql.test.ts` there.
#[test]
fn what_dynamodb_does_not_have_is_refused_by_its_name() {
    for (text, message) in [
        (
            r#"SELECT * FROM "s" t WHERE pk = 'x'"#,
            "Aliasing is not supported",
        ),
        (
            r#"SELECT * FROM "s" AS t WHERE pk = 'x'"#,
            "Aliasing is not supported",
        ),
        (
            r#"UPDATE "s" t SET a = 3 WHERE pk = 'x'"#,
            "Aliasing is not supported",
        ),
        (
            r#"DELETE FROM "s" t WHERE pk = 'x'"#,
            "Aliasing is not supported",
        ),
        ("x IS INT4", "Unsupported operation: IsType"),
        ("x IS DOUBLE PRECISION", "Unsupported operation: IsType"),
        ("x IS CHARACTER VARYING", "Unsupported operation: IsType"),
        (
            r#"SELECT * FROM "s"."i"."x" WHERE pk = 'x'"#,
            "A path may contain at most 2 components in the FROM clause",
        ),
        (
            r#"SELECT * FROM "s"."" WHERE pk = 'x'"#,
            "Path component cannot be an empty string",
        ),
        (
            r#"SELECT * FROM "" WHERE pk = 'x'"#,
            "Path component cannot be an empty string",
        ),
        (
            r#"INSERT INTO "s"."i" VALUE {'pk': 'x'}"#,
            "FROM clause may only contain a single table name",
        ),
        (
            r#"UPDATE "s"."i" SET a = 1 WHERE pk = 'x'"#,
            "This operation is not supported on an index",
        ),
        (
            r#"DELETE FROM "s"."i" WHERE pk = 'x'"#,
            "This operation is not supported on an index",
        ),
        (
            "SELECT attribute_exists(ss) FROM t WHERE pk = 'x'",
            "Unexpected path component at 1:8:16",
        ),
        (
            "SELECT COUNT(*) FROM t",
            "Unexpected path component at 1:8:5",
        ),
        (
            "SELECT * FROM t WHERE EXISTS(ss)",
            "Unrecognized function: exists at 1:23:6",
        ),
        (
            "SELECT * FROM t WHERE\n  set_add(ss, <<'x'>>) = ss",
            "Unrecognized function: set_add at 2:3:7",
        ),
        (
            "DELETE FROM t WHERE pk = 'x' RETURNING MODIFIED OLD *",
            "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is \
             allowed in DELETE statements.",
        ),
        (
            "DELETE FROM t WHERE pk = 'x' RETURNING ALL NEW *",
            "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is \
             allowed in DELETE statements.",
        ),
        (
            "UPDATE t SET a = set_add(b, <<'x'>>) WHERE pk = 'x'",
            "The first argument to SET_ADD must equal the assignment value at 1:18:7",
        ),
        (
            "UPDATE t SET a = set_add(<<'a'>>, <<'b'>>) WHERE pk = 'x'",
            "The first argument to SET_ADD must equal the assignment value at 1:18:7",
        ),
        (
            "UPDATE t SET a = set_add(a, 'x') WHERE pk = 'x'",
            "The second argument to SET_ADD must be a value with type SET at 1:26:1",
        ),
        (
            "UPDATE t SET a = set_delete(a, ['x']) WHERE pk = 'x'",
            "The second argument to SET_DELETE must be a value with type SET at 1:29:1",
        ),
        (
            "UPDATE t SET a = set_add(a) WHERE pk = 'x'",
            "SET_ADD must have exactly two arguments at 1:18:7",
        ),
        (
            "UPDATE t SET a = set_add(a, <<'x'>>, <<'y'>>) WHERE pk = 'x'",
            "SET_ADD must have exactly two arguments at 1:18:7",
        ),
        (
            "UPDATE t SET a = set_add(a, <<'x', 'x'>>) WHERE pk = 'x'",
            "One or more parameter values were invalid: Input collection [x, x] contains \
             duplicates.",
        ),
        (
            "UPDATE t SET a = set_add(a, <<>>) WHERE pk = 'x'",
            "Empty bags are not supported",
        ),
        (
            "INSERT INTO t VALUE {'pk': 'x', 'ss': set_add(<<'a'>>, <<'b'>>)}",
            "Unsupported data type: set_add under key root at 1:39:7",
        ),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
}

/// Recorded answers: `partiqlGrammar.test.ts` there.
#[test]
fn numbers_that_are_none_are_refused_with_the_way_to_them() {
    const OVERFLOW: &str = "Number overflow. Attempting to store a number with magnitude larger \
                            than supported range";
    const UNDERFLOW: &str = "Number underflow. Attempting to store a number with magnitude smaller \
                             than supported range";
    for (text, expected) in [
        (
            "SELECT * FROM n WHERE pk = 1e126",
            format!("{OVERFLOW} under root"),
        ),
        (
            "SELECT * FROM n WHERE pk = 1e-131",
            format!("{UNDERFLOW} under root"),
        ),
        (
            "SELECT * FROM n WHERE pk = 123456789012345678901234567890123456789",
            "Attempting to store more than 38 significant digits in a Number under root".into(),
        ),
        (
            "INSERT INTO n VALUE {'pk': 1e126}",
            format!("{OVERFLOW} under root"),
        ),
        (
            "UPDATE n SET a = 1e-131 WHERE pk = 1",
            format!("{UNDERFLOW} under root"),
        ),
        (
            "INSERT INTO n VALUE {'pk': 1, 'm': {'x': 1e126}}",
            format!("{OVERFLOW} under root.x"),
        ),
        (
            "INSERT INTO n VALUE {'pk': 1, 'l': [1, 1e126]}",
            format!("{OVERFLOW} under root[1]"),
        ),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn every_form_is_accepted() {
    for text in [
        "SELECT * FROM t",
        "select a, b.c, d[0].e, \"f g\" from \"t\".\"i\" where a = 1;",
        "SELECT ALL a FROM t WHERE (a = 1 AND b <> 'x') OR NOT c BETWEEN 1 AND -2.5e3",
        "SELECT * FROM t WHERE a IN [1, 2] AND b NOT IN ('x', 'y') AND c in <<1>>",
        "SELECT * FROM t WHERE a IS MISSING AND b IS NOT MISSING AND c IS NULL AND d IS NOT NULL",
        "SELECT * FROM t WHERE begins_with(a, 'x') AND contains(b, ?) AND size(c) > 3 \
         AND attribute_type(d, 'SS') AND NOT attribute_exists(e) AND attribute_exists(f) = true",
        "SELECT * FROM t WHERE a = 1 ORDER BY a DESC, b",
        "SELECT * FROM t -- note\nWHERE /* note */ a != 'it''s'",
        "INSERT INTO t VALUE {'pk': 'x', 'n': .5, 'l': [1, 'a', [], {}, NULL, TRUE], \
         'm': {'x': {'y': ?}}, 'ss': <<'a', 'b'>>, 'ns': <<1, 2>>, 'p': ?}",
        "UPDATE t SET a = 1, b.c[2] = a - 1 SET d = list_append(d, [1, <<'x'>>]) REMOVE e[1] \
         SET f = set_delete(f, ?) WHERE pk = 'x' RETURNING MODIFIED NEW *",
        "FROM t WHERE pk = 'x' SET a = 1 REMOVE b RETURNING ALL OLD *",
        "DELETE FROM t WHERE pk = 'x' AND a = 1 RETURNING ALL OLD *",
        "EXISTS(SELECT * FROM t WHERE pk = 'x' AND a IS MISSING)",
        "SELECT * FROM t WHERE year = 2015 and title = 'x'",
    ] {
        accepted(text);
    }
}

#[test]
fn parameters_are_counted() {
    let statement = accepted("SELECT * FROM t WHERE a = ? AND b IN [?, ?]");
    assert_eq!(statement.parameter_count(), 3);
    assert_eq!(
        statement.bind(&[]).unwrap_err(),
        StatementError::ParameterCount
    );
}

#[test]
fn depth_is_bounded() {
    for (open, inner, close) in [
        ("(", "a = 1", ")"),
        ("NOT ", "a = 1", ""),
        ("- ", "a", ""),
        ("size(", "a", ")"),
        ("a = [", "", "]"),
        ("a = {'b': ", "1", "}"),
        ("a + ", "a", ""),
    ] {
        let text = [open.repeat(4000), inner.to_owned(), close.repeat(4000)].concat();
        let error = Statement::parse(&format!("SELECT * FROM t WHERE {text}")).unwrap_err();
        assert_eq!(error, StatementError::TooDeep, "{open}");
    }
    // AND and OR of any number are no depth.
    let long = vec!["a = 1"; 1000].join(" AND ");
    accepted(&format!("SELECT * FROM t WHERE {long}"));
}

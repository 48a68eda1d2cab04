//! Statements: SELECT, INSERT, UPDATE, DELETE, and UPDATE that begins with FROM.

use super::{
    super::{
        ast::{
            Clause, Column, Direction, Expr, Query, Returned, ReturnedState, SelectQuery, Source,
        },
        error::StatementError,
        lexer::Kind,
    },
    Parser, Result,
};

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Result<Query> {
        if self.accept_keyword("select") {
            return self.select().map(Query::Select);
        }
        if self.accept_keyword("from") {
            let source = self.source(|parser| parser.expression(0))?;
            let condition = self.condition()?;
            let clauses = self.clauses()?;
            let returning = self.returning()?;
            return Ok(Query::Update {
                source,
                clauses,
                condition,
                returning,
            });
        }
        if self.accept_keyword("update") {
            let source = self.simple_source()?;
            let clauses = self.clauses()?;
            return Ok(Query::Update {
                source,
                clauses,
                condition: self.condition()?,
                returning: self.returning()?,
            });
        }
        if self.accept_keyword("delete") {
            self.expect_keyword("from", "Expected FROM after DELETE")?;
            let source = self.simple_source()?;
            return Ok(Query::Delete {
                source,
                condition: self.condition()?,
                returning: self.returning()?,
            });
        }
        if self.at_keywords(["insert", "into"]) {
            return self.insert();
        }
        // SET and REMOVE that follow nothing.
        self.clauses()?;
        Err(StatementError::Operation("Dml"))
    }

    fn insert(&mut self) -> Result<Query> {
        self.position += 2;
        let table = self.simple_path()?;
        if !self.accept_keyword("value") {
            // `INSERT INTO t VALUES (…)` and whatever else gives rows.
            self.rows()?;
            return Err(StatementError::Operation("Insert"));
        }
        let value = self.expression(0)?;
        if self.accept_keyword("at") {
            self.expression(0)?;
            return Err(StatementError::Operation("InsertValue"));
        }
        if self.at_keywords(["on", "conflict"]) {
            self.position += 2;
            self.expect_keyword("where", "invalid ON CONFLICT syntax")?;
            return Err(StatementError::Operation("OnConflict"));
        }
        Ok(Query::Insert {
            table,
            value,
            returning: self.returning()?,
        })
    }

    /// The rows of an INSERT without VALUE. They are parsed for what may be wrong with them, up to
    /// the end.
    fn rows(&mut self) -> Result<()> {
        if self.accept_keyword("values") {
            self.list(|parser| {
                parser.expect("(", "Expected LEFT_PAREN for row value constructor")?;
                parser.list(|parser| parser.expression(0))?;
                parser.expect(")", "Expected RIGHT_PAREN")
            })?;
        } else {
            self.expression(0)?;
        }
        match self.ends_at(0) {
            true => Ok(()),
            false => Err(StatementError::Malformed(
                "Unexpected token after expression",
            )),
        }
    }

    fn select(&mut self) -> Result<SelectQuery> {
        let mut foreign = None;
        let mut refuse = |clause, at| {
            foreign.get_or_insert((clause, at));
        };
        let at = self.at();
        if self.accept_keyword("distinct") {
            refuse("DISTINCT", at);
        } else {
            self.accept_keyword("all");
        }
        let at = self.at();
        let columns = if self.accept_keyword("value") {
            refuse("VALUE", at);
            vec![Column::Expr(self.expression(0)?)]
        } else {
            self.list(Self::column)?
        };
        if columns.len() > 1 && columns.contains(&Column::All) {
            return Err(StatementError::Malformed(
                "Other expressions may not be present in the select list when '*' is used without \
                 dot notation.",
            ));
        }
        self.expect_keyword("from", "Expected FROM after SELECT list")?;
        let source = self.source(|parser| parser.expression(0))?;
        let condition = self.condition()?;
        let mut order = Vec::new();
        if self.accept_keyword("order") {
            self.expect_keyword("by", "Expected BY")?;
            order = self.list(Self::sort_key)?;
        }
        for (word, clause) in [
            ("group", "GROUP BY"),
            ("having", "HAVING"),
            ("limit", "LIMIT"),
        ] {
            let at = self.at();
            if self.accept_keyword(word) {
                refuse(clause, at);
                if word == "group" {
                    self.expect_keyword("by", "Expected BY")?;
                }
                self.list(|parser| parser.expression(0))?;
            }
        }
        Ok(SelectQuery {
            columns,
            source,
            condition,
            order,
            foreign,
        })
    }

    fn column(&mut self) -> Result<Column> {
        if self.accept("*") {
            return Ok(Column::All);
        }
        let expr = self.expression(0)?;
        Ok(match self.alias()? {
            true => Column::Aliased,
            false => Column::Expr(expr),
        })
    }

    fn sort_key(&mut self) -> Result<(Expr, Direction)> {
        let key = self.expression(0)?;
        let direction = if self.accept_keyword("desc") {
            Direction::Descending
        } else {
            self.accept_keyword("asc");
            Direction::Ascending
        };
        Ok((key, direction))
    }

    /// `AS name`, or a bare name.
    fn alias(&mut self) -> Result<bool> {
        let named = self.accept_keyword("as");
        if named && !self.at_name() {
            return Err(StatementError::Malformed("Expected identifier for alias"));
        }
        if self.at_name() {
            self.take();
            return Ok(true);
        }
        Ok(false)
    }

    /// What follows FROM or UPDATE, with the names it is given.
    fn source(&mut self, parse: impl FnOnce(&mut Self) -> Result<Expr>) -> Result<Source> {
        let expr = parse(self)?;
        let mut aliased = self.alias()?;
        for word in ["at", "by"] {
            if self.accept_keyword(word) {
                if !self.at_name() {
                    return Err(StatementError::Malformed("Expected identifier for alias"));
                }
                self.take();
                aliased = true;
            }
        }
        let mut joined = false;
        while self.accept(",") {
            self.expression(0)?;
            self.alias()?;
            joined = true;
        }
        Ok(Source {
            expr,
            aliased,
            joined,
        })
    }

    fn simple_source(&mut self) -> Result<Source> {
        let at = self.at();
        let path = self.simple_path()?;
        let node = super::Node::Path(path);
        let aliased = self.alias()?;
        Ok(Source {
            expr: Expr { node, at },
            aliased,
            joined: false,
        })
    }

    fn condition(&mut self) -> Result<Option<Expr>> {
        match self.accept_keyword("where") {
            true => self.expression(0).map(Some),
            false => Ok(None),
        }
    }

    /// `SET path = value, … REMOVE path …`, in any order and number.
    fn clauses(&mut self) -> Result<Vec<Clause>> {
        let mut clauses = Vec::new();
        loop {
            if self.accept_keyword("set") {
                clauses.extend(self.list(Self::assignment)?);
            } else if self.accept_keyword("remove") {
                clauses.push(Clause::Remove(self.simple_path()?));
            } else if self.at_keywords(["insert", "into"]) {
                self.insert()?;
                clauses.push(Clause::Insert);
            } else {
                break;
            }
        }
        if clauses.is_empty() {
            return Err(StatementError::Malformed("Expected data manipulation"));
        }
        Ok(clauses)
    }

    fn assignment(&mut self) -> Result<Clause> {
        let path = self.simple_path()?;
        self.expect("=", "Expected '=' for SET assignment")?;
        Ok(Clause::Set(path, self.expression(0)?))
    }

    fn returning(&mut self) -> Result<Option<Returned>> {
        if !self.accept_keyword("returning") {
            return Ok(None);
        }
        let detail = "Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning element.";
        let modified = match (self.kind(), self.text_at(0)) {
            (Kind::Keyword, "modified") => true,
            (Kind::Keyword, "all") => false,
            _ => return Err(StatementError::Malformed(detail)),
        };
        let state = match (self.kind_at(1), self.text_at(1)) {
            (Kind::Keyword, "old") => ReturnedState::Old,
            (Kind::Keyword, "new") => ReturnedState::New,
            _ => return Err(StatementError::Malformed(detail)),
        };
        self.position += 2;
        if !self.accept("*") {
            self.expression(0)?;
            return Err(StatementError::ReturningColumns);
        }
        Ok(Some(Returned { state, modified }))
    }
}

//! Expressions: operators by their precedence, terms, paths and literals.

use super::{
    super::{
        MAX_DEPTH,
        ast::{Expr, Node, Position, Sign, Step, Type},
        error::StatementError,
        keywords::{is_function, is_operator, is_separator},
        lexer::Kind,
    },
    Parser, Result,
};
use crate::expression::ast::Comparator;

/// An infix operator.
#[derive(Clone, Copy, PartialEq)]
enum Infix {
    Or,
    And,
    Compare(Comparator),
    Is,
    In,
    Between,
    Like,
    Sum(Sign),
    Concat,
    Product(&'static str),
}

impl Infix {
    fn precedence(self) -> u8 {
        match self {
            Self::Or => 10,
            Self::And => 20,
            Self::Compare(Comparator::Equal | Comparator::NotEqual) | Self::Is | Self::In => 40,
            Self::Compare(_) | Self::Between | Self::Like => 50,
            Self::Sum(_) | Self::Concat => 60,
            Self::Product(_) => 70,
        }
    }
}

/// The precedence of NOT.
const NOT: u8 = 30;

impl Parser<'_> {
    /// The operator that comes next: it, whether it is negated, and how many tokens it has.
    fn infix(&self) -> Option<(Infix, bool, usize)> {
        let word = |distance: usize| match self.text_at(distance) {
            _ if self.kind_at(distance) != Kind::Keyword => None,
            "is" => Some(Infix::Is),
            "in" => Some(Infix::In),
            "between" => Some(Infix::Between),
            "like" => Some(Infix::Like),
            "and" => Some(Infix::And),
            "or" => Some(Infix::Or),
            _ => None,
        };
        match self.kind() {
            Kind::Keyword if self.text_at(0) == "not" => match word(1)? {
                operator @ (Infix::In | Infix::Between | Infix::Like) => Some((operator, true, 2)),
                _ => None,
            },
            Kind::Keyword => match word(0)? {
                Infix::Is if self.keyword_at(1, "not") => Some((Infix::Is, true, 2)),
                operator => Some((operator, false, 1)),
            },
            Kind::Symbol => {
                let operator = match self.text_at(0) {
                    "=" => Infix::Compare(Comparator::Equal),
                    "<>" => Infix::Compare(Comparator::NotEqual),
                    "<" => Infix::Compare(Comparator::Less),
                    "<=" => Infix::Compare(Comparator::LessOrEqual),
                    ">" => Infix::Compare(Comparator::Greater),
                    ">=" => Infix::Compare(Comparator::GreaterOrEqual),
                    "+" => Infix::Sum(Sign::Plus),
                    "-" => Infix::Sum(Sign::Minus),
                    "||" => Infix::Concat,
                    "*" => Infix::Product("Times"),
                    "/" => Infix::Product("Divide"),
                    "%" => Infix::Product("Modulo"),
                    _ => return None,
                };
                Some((operator, false, 1))
            }
            _ => None,
        }
    }

    /// An expression of operators that bind tighter than `precedence`.
    pub(super) fn expression(&mut self, precedence: u8) -> Result<Expr> {
        self.deeper(|parser| parser.operators(precedence))
    }

    fn operators(&mut self, precedence: u8) -> Result<Expr> {
        let mut left = self.unary()?;
        // AND and OR of any number are one node; of the others each is one within the next.
        let mut height = 0;
        while let Some((operator, negated, length)) = self.infix() {
            if operator.precedence() <= precedence {
                break;
            }
            self.position += length;
            let joined = matches!(operator, Infix::And | Infix::Or);
            height += usize::from(!joined);
            if height > MAX_DEPTH {
                return Err(StatementError::TooDeep);
            }
            let at = left.at;
            let node = self.infix_node(left, operator)?;
            left = Expr { node, at };
            if negated {
                let node = Node::Not(Box::new(left));
                left = Expr { node, at };
            }
        }
        Ok(left)
    }

    /// What an operator makes of what is before it and what comes.
    fn infix_node(&mut self, left: Expr, operator: Infix) -> Result<Node> {
        if operator == Infix::Is {
            return Ok(Node::Is(Box::new(left), self.data_type()?));
        }
        let bracketed = operator == Infix::In && self.at_symbol("(");
        if bracketed && !self.keyword_at(1, "select") && !self.keyword_at(1, "values") {
            let at = self.at();
            self.take();
            let values = self.list(|parser| parser.expression(0))?;
            self.expect(")", "Expected RIGHT_PAREN")?;
            let node = Node::List(values);
            return Ok(Node::In(Box::new(left), Box::new(Expr { node, at })));
        }
        if self.ends_at(0) {
            let detail = "Missing right-hand side expression of infix operator";
            return Err(StatementError::Malformed(detail));
        }
        let right = self.expression(operator.precedence())?;
        Ok(match operator {
            Infix::And => Node::And(joined(left, right, |node| match node {
                Node::And(parts) => Ok(parts),
                other => Err(other),
            })),
            Infix::Or => Node::Or(joined(left, right, |node| match node {
                Node::Or(parts) => Ok(parts),
                other => Err(other),
            })),
            Infix::Compare(comparator) => {
                Node::Compare(comparator, Box::new(left), Box::new(right))
            }
            Infix::In => Node::In(Box::new(left), Box::new(right)),
            Infix::Between => {
                self.expect_keyword("and", "Expected AND")?;
                if self.ends_at(0) {
                    return Err(StatementError::Malformed("Expected expression after AND"));
                }
                let upper = self.expression(operator.precedence())?;
                Node::Between(Box::new(left), Box::new(right), Box::new(upper))
            }
            Infix::Sum(sign) => Node::Arithmetic(sign, Box::new(left), Box::new(right)),
            Infix::Like => {
                if self.accept_keyword("escape") {
                    self.expression(operator.precedence())?;
                }
                Node::Other("Like")
            }
            Infix::Concat => Node::Other("Concat"),
            Infix::Product(name) => Node::Other(name),
            Infix::Is => Node::Other("IsType"),
        })
    }

    /// The name of a type, and its parameters, which say nothing of a value.
    fn data_type(&mut self) -> Result<Type> {
        let word = match self.kind() {
            Kind::Keyword => self.text_at(0),
            _ => "",
        };
        let (data_type, length) = match (word, self.text_at(1)) {
            ("double", "precision") | ("character", "varying")
                if self.kind_at(1) == Kind::Keyword =>
            {
                (
                    if word == "double" {
                        Type::Kinds(&["N"])
                    } else {
                        Type::Kinds(&["S"])
                    },
                    2,
                )
            }
            ("missing", _) => (Type::Missing, 1),
            ("null", _) => (Type::Kinds(&["NULL"]), 1),
            ("bool" | "boolean", _) => (Type::Kinds(&["BOOL"]), 1),
            (
                "smallint" | "int2" | "integer2" | "int4" | "integer4" | "int8" | "integer8"
                | "bigint" | "int" | "integer" | "float" | "real" | "decimal" | "dec" | "numeric",
                _,
            ) => (Type::Kinds(&["N"]), 1),
            ("string" | "varchar" | "char" | "character" | "symbol", _) => (Type::Kinds(&["S"]), 1),
            ("blob", _) => (Type::Kinds(&["B"]), 1),
            ("list", _) => (Type::Kinds(&["L"]), 1),
            ("struct" | "tuple", _) => (Type::Kinds(&["M"]), 1),
            ("bag", _) => (Type::Kinds(&["SS", "NS", "BS"]), 1),
            ("timestamp" | "date" | "time" | "clob" | "sexp" | "any", _) => (Type::Foreign, 1),
            _ => return Err(StatementError::Malformed("Expected type name")),
        };
        self.position += length;
        if self.accept("(") {
            self.list(|parser| parser.expression(0))?;
            self.expect(")", "Expected RIGHT_PAREN")?;
        }
        Ok(data_type)
    }

    fn unary(&mut self) -> Result<Expr> {
        let at = self.at();
        if self.accept_keyword("not") {
            let operand = self.expression(NOT)?;
            let node = Node::Not(Box::new(operand));
            return Ok(Expr { node, at });
        }
        let negative = self.at_symbol("-");
        if !negative && !self.at_symbol("+") {
            return self.path_term();
        }
        self.take();
        let operand = self.deeper(Self::unary)?;
        let node = match operand.node {
            Node::Number(text) if !negative => Node::Number(text),
            Node::Number(text) => Node::Number(match text.strip_prefix('-') {
                Some(positive) => positive.into(),
                None => format!("-{text}").into(),
            }),
            _ if negative => Node::Other("Neg"),
            _ => Node::Other("Pos"),
        };
        Ok(Expr { node, at })
    }

    /// A term, and the path into it.
    fn path_term(&mut self) -> Result<Expr> {
        let mut term = self.term()?;
        let mut steps = Vec::new();
        let mut foreign = false;
        loop {
            if self.accept(".") {
                match self.kind() {
                    Kind::Identifier | Kind::Quoted => steps.push(Step::Name(self.take())),
                    Kind::Symbol if self.at_symbol("*") => {
                        self.take();
                        foreign = true;
                    }
                    _ => return Err(StatementError::Malformed("Invalid path dot component")),
                }
            } else if self.accept("[") {
                if self.accept("*") {
                    foreign = true;
                } else {
                    let at = self.expression(0)?;
                    match index(&at.node) {
                        Some(step) => steps.push(step),
                        None => foreign = true,
                    }
                }
                self.expect("]", "Expected RIGHT_BRACKET")?;
            } else {
                break;
            }
        }
        if steps.is_empty() && !foreign {
            return Ok(term);
        }
        term.node = match term.node {
            Node::Path(mut path) if !foreign => {
                path.extend(steps);
                Node::Path(path)
            }
            _ => Node::Other("Path"),
        };
        Ok(term)
    }

    /// A path of names and indexes alone.
    pub(super) fn simple_path(&mut self) -> Result<Vec<Step>> {
        if !self.at_name() {
            return Err(StatementError::Malformed(
                "Expected identifier for simple path",
            ));
        }
        let mut path = vec![Step::Name(self.take())];
        loop {
            if self.accept(".") {
                if self.at_symbol("*") {
                    let detail = "Invalid path dot component for simple path";
                    return Err(StatementError::Malformed(detail));
                }
                if !self.at_name() {
                    return Err(StatementError::Malformed("Invalid path dot component"));
                }
                path.push(Step::Name(self.take()));
            } else if self.accept("[") {
                let at = self.expression(0)?;
                self.expect("]", "Expected RIGHT_BRACKET")?;
                let detail = "Invalid path component for simple path";
                path.push(index(&at.node).ok_or(StatementError::Malformed(detail))?);
            } else {
                return Ok(path);
            }
        }
    }

    fn term(&mut self) -> Result<Expr> {
        let at = self.at();
        let node = match self.kind() {
            Kind::String => Node::String(self.take()),
            Kind::Number => Node::Number(self.take()),
            Kind::Identifier | Kind::Quoted if self.symbol_at(1, "(") => {
                return self.call(at);
            }
            Kind::Identifier | Kind::Quoted => Node::Path(vec![Step::Name(self.take())]),
            Kind::Keyword => return self.keyword_term(at),
            Kind::Symbol => return self.symbol_term(at),
            Kind::End => return Err(StatementError::Malformed("Unexpected term")),
        };
        Ok(Expr { node, at })
    }

    fn keyword_term(&mut self, at: Position) -> Result<Expr> {
        let word = self.text_at(0);
        let node = match word {
            "null" => Node::Null,
            "missing" => Node::Missing,
            "true" => Node::Boolean(true),
            "false" => Node::Boolean(false),
            "select" | "from" | "update" | "delete" | "set" | "remove" => {
                return self.statement_term(at);
            }
            "insert" if self.keyword_at(1, "into") => return self.statement_term(at),
            word if is_operator(word) => {
                return Err(StatementError::Malformed("Unexpected operator"));
            }
            word if is_separator(word) => {
                return Err(StatementError::Malformed("Unexpected term"));
            }
            word if is_function(word) && self.symbol_at(1, "(") => return self.call(at),
            _ => return Err(StatementError::Malformed("Unexpected keyword")),
        };
        self.take();
        Ok(Expr { node, at })
    }

    fn symbol_term(&mut self, at: Position) -> Result<Expr> {
        let node = match self.text_at(0) {
            "?" => {
                self.take();
                self.parameters += 1;
                Node::Parameter(self.parameters - 1)
            }
            "(" => {
                self.take();
                if self.at_symbol(")") {
                    return Err(StatementError::Malformed(
                        "Expression group cannot be empty",
                    ));
                }
                let mut group = self.list(|parser| parser.expression(0))?;
                self.expect(")", "Expected RIGHT_PAREN")?;
                match (group.pop(), group.is_empty()) {
                    // A group of one is what it holds; two operators of a kind stay apart in it.
                    (Some(one), true) => return Ok(one),
                    (last, _) => {
                        group.extend(last);
                        Node::List(group)
                    }
                }
            }
            "[" => {
                self.take();
                Node::List(self.elements("]", "Expected RIGHT_BRACKET")?)
            }
            "<<" => {
                self.take();
                Node::Bag(self.elements(">>", "Expected RIGHT_DOUBLE_ANGLE_BRACKET")?)
            }
            "{" => {
                self.take();
                if self.accept("}") {
                    Node::Struct(Vec::new())
                } else {
                    let entries = self.list(Self::entry)?;
                    self.expect("}", "Expected RIGHT_CURLY")?;
                    Node::Struct(entries)
                }
            }
            "=" | "<>" | "<" | "<=" | ">" | ">=" | "||" | "/" | "%" => {
                return Err(StatementError::Malformed("Unexpected operator"));
            }
            _ => return Err(StatementError::Malformed("Unexpected term")),
        };
        Ok(Expr { node, at })
    }

    /// What a list or bag holds, up to its end.
    fn elements(&mut self, end: &str, detail: &'static str) -> Result<Vec<Expr>> {
        if self.accept(end) {
            return Ok(Vec::new());
        }
        let elements = self.list(|parser| parser.expression(0))?;
        self.expect(end, detail)?;
        Ok(elements)
    }

    /// `'name': value`
    fn entry(&mut self) -> Result<(Expr, Expr)> {
        let name = self.expression(0)?;
        self.expect(":", "Expected COLON")?;
        Ok((name, self.expression(0)?))
    }

    /// `function(operand, …)`. A function is named by its keyword or by any name, in whatever case.
    fn call(&mut self, at: Position) -> Result<Expr> {
        let name = self.take().to_ascii_lowercase();
        self.take();
        if name == "count" && self.at_symbol("*") && self.symbol_at(1, ")") {
            self.position += 2;
            let node = Node::CountAll;
            return Ok(Expr { node, at });
        }
        let operands = self.elements(")", "Expected RIGHT_PAREN")?;
        let node = Node::Call(name.into(), operands);
        Ok(Expr { node, at })
    }
}

/// The parts of two operands of AND or OR: those of the left one if it is of that kind itself.
fn joined(
    left: Expr,
    right: Expr,
    parts: impl FnOnce(Node) -> std::result::Result<Vec<Expr>, Node>,
) -> Vec<Expr> {
    let at = left.at;
    match parts(left.node) {
        Ok(mut parts) => {
            parts.push(right);
            parts
        }
        Err(node) => vec![Expr { node, at }, right],
    }
}

/// What stands between brackets, if it can lead anywhere.
fn index(node: &Node) -> Option<Step> {
    match node {
        Node::Number(text) => text.parse().ok().map(Step::Index),
        Node::String(name) => Some(Step::Name(name.clone())),
        _ => None,
    }
}

//! Tokens to trees: recursive descent with bounded depth, no panic on any text.
//!
//! Productions, and which of them complains of what, follow `partiql-lang-kotlin`'s `SqlParser` (see
//! the module's head): its message is the detail that users see.

mod expression;
mod statement;

use super::{
    MAX_DEPTH,
    ast::{Expr, Node, Position, Query},
    error::StatementError,
    lexer::{Kind, Token, tokens},
};

type Result<T> = std::result::Result<T, StatementError>;

/// A parsed text: a statement, or an expression that stands alone, and the number of its `?`.
pub(super) struct Parsed {
    pub(super) root: Expr,
    pub(super) parameters: usize,
}

/// Parses the text of a statement.
///
/// # Errors
/// The first thing that the grammar does not allow.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        position: 0,
        depth: 0,
        parameters: 0,
    };
    let root = parser.expression(0)?;
    if parser.accept(";") {
        parser.expect_end("Unexpected token after semicolon. (Only one query is allowed.)")?;
    }
    parser.expect_end("Unexpected token after expression")?;
    Ok(Parsed {
        root,
        parameters: parser.parameters,
    })
}

/// The state of parsing one text.
struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
    depth: usize,
    parameters: usize,
}

impl Parser<'_> {
    /// The kind of the token at a distance. Behind the last token there are only ends.
    fn kind_at(&self, distance: usize) -> Kind {
        let token = self.tokens.get(self.position + distance);
        token.map_or(Kind::End, |token| token.kind)
    }

    fn text_at(&self, distance: usize) -> &str {
        let token = self.tokens.get(self.position + distance);
        token.map_or("", |token| &token.text)
    }

    fn kind(&self) -> Kind {
        self.kind_at(0)
    }

    /// Where the next token stands.
    fn at(&self) -> Position {
        let token = self.tokens.get(self.position).or(self.tokens.last());
        token.map_or_else(Position::default, |token| token.at)
    }

    /// Whether that symbol stands at a distance.
    fn symbol_at(&self, distance: usize, symbol: &str) -> bool {
        self.kind_at(distance) == Kind::Symbol && self.text_at(distance) == symbol
    }

    fn at_symbol(&self, symbol: &str) -> bool {
        self.symbol_at(0, symbol)
    }

    /// Whether that keyword stands at a distance.
    fn keyword_at(&self, distance: usize, word: &str) -> bool {
        self.kind_at(distance) == Kind::Keyword && self.text_at(distance) == word
    }

    fn at_keyword(&self, word: &str) -> bool {
        self.keyword_at(0, word)
    }

    /// Whether these keywords come next.
    fn at_keywords(&self, words: [&str; 2]) -> bool {
        let [first, second] = words;
        self.at_keyword(first) && self.keyword_at(1, second)
    }

    fn at_name(&self) -> bool {
        matches!(self.kind(), Kind::Identifier | Kind::Quoted)
    }

    /// Whether nothing more comes, but perhaps a semicolon.
    fn ends_at(&self, distance: usize) -> bool {
        self.kind_at(distance) == Kind::End || self.symbol_at(distance, ";")
    }

    /// Steps over the token; gives its text.
    fn take(&mut self) -> Box<str> {
        let text = self.text_at(0).into();
        self.position += 1;
        text
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let accepted = self.at_symbol(symbol);
        self.position += usize::from(accepted);
        accepted
    }

    fn accept_keyword(&mut self, word: &str) -> bool {
        let accepted = self.at_keyword(word);
        self.position += usize::from(accepted);
        accepted
    }

    fn expect(&mut self, symbol: &str, detail: &'static str) -> Result<()> {
        match self.accept(symbol) {
            true => Ok(()),
            false => Err(StatementError::Malformed(detail)),
        }
    }

    fn expect_keyword(&mut self, word: &str, detail: &'static str) -> Result<()> {
        match self.accept_keyword(word) {
            true => Ok(()),
            false => Err(StatementError::Malformed(detail)),
        }
    }

    fn expect_end(&self, detail: &'static str) -> Result<()> {
        match self.kind() {
            Kind::End => Ok(()),
            _ => Err(StatementError::Malformed(detail)),
        }
    }

    /// Parses something that lies one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(StatementError::TooDeep);
        }
        self.depth += 1;
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// `item, item, …`
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A statement as an expression: that is what it is in PartiQL.
    fn statement_term(&mut self, at: Position) -> Result<Expr> {
        let query: Query = self.deeper(Self::statement)?;
        let node = Node::Statement(Box::new(query));
        Ok(Expr { node, at })
    }
}

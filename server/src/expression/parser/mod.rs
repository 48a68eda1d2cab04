//! Tokens to trees: recursive descent, one token of lookahead, bounded depth, no panic on any text.
//!
//! Three grammars share the paths, operands and functions of this file; what differs is in
//! `condition` and `update` (a projection is a list of paths). The grammars are those of the
//! developer guide's "Comparison operator and function reference" and "Using update expressions".
//!
//! A text has at most one syntax error, the first; it wins over everything else that is wrong. The
//! other findings that need no more than the text (redundant parentheses, unknown functions, reserved
//! words, limits) are collected on the way and the most important is reported at the end, in the
//! order DynamoDB gives them. What needs names or values is found when the tree is bound.

mod condition;
mod update;

use super::MAX_EXPRESSION_BYTES;
use super::ast::{Call, Element, Function, Operand, Path, Slots};
use super::error::{ExpressionError, ExpressionKind, Reason};
use super::lexer::{Kind, Token, tokens};
use super::reserved::is_reserved;

/// How deep parentheses, NOTs and calls may nest. Every level of a valid expression holds an operator
/// or function of its own, of which there may be 300, so no valid expression is refused by this.
const MAX_DEPTH: usize = super::MAX_OPERATORS;

/// The words that cannot begin an operand.
const CONDITION_KEYWORDS: &[&str] = &["AND", "OR", "NOT", "IN", "BETWEEN"];
/// The words that cannot begin a path of an update.
const UPDATE_KEYWORDS: &[&str] = &["SET", "REMOVE", "ADD", "DELETE"];

/// Parses the text of a condition, filter or key condition.
pub(super) fn predicate(
    text: &str,
    kind: ExpressionKind,
) -> Result<(super::ast::Predicate, Slots), ExpressionError> {
    parse(text, kind, Parser::predicate)
}

/// Parses the text of an update.
pub(super) fn actions(text: &str) -> Result<(Vec<super::ast::Action>, Slots), ExpressionError> {
    parse(text, ExpressionKind::Update, Parser::actions)
}

/// Parses the text of a projection.
pub(super) fn paths(text: &str) -> Result<(Vec<Path>, Slots), ExpressionError> {
    parse(text, ExpressionKind::Projection, |parser| {
        parser.list(Parser::path)
    })
}

/// Parses a whole text by one grammar.
fn parse<'a, T>(
    text: &'a str,
    kind: ExpressionKind,
    grammar: impl FnOnce(&mut Parser<'a>) -> Result<T, Reason>,
) -> Result<(T, Slots), ExpressionError> {
    if text.len() > MAX_EXPRESSION_BYTES {
        let size = (kind != ExpressionKind::Update).then_some(text.len());
        return Err(Reason::TooLong { size }.in_expression(kind));
    }
    let mut parser = Parser::new(text, kind);
    if parser.peek().kind == Kind::End {
        return Err(Reason::Empty.in_expression(kind));
    }
    let tree = grammar(&mut parser)
        .and_then(|tree| parser.expect(Kind::End).map(|()| tree))
        .and_then(|tree| parser.findings.first(kind).map_or(Ok(tree), Err))
        .map_err(|reason| reason.in_expression(kind))?;
    Ok((tree, parser.slots))
}

/// What is wrong with a text whose syntax is right.
#[derive(Default)]
struct Findings {
    redundant_parentheses: bool,
    unknown_function: Option<String>,
    misused_function: Option<Function>,
    reserved_word: Option<String>,
    repeated_section: Option<&'static str>,
    /// The first limit exceeded other than that of operators.
    limit: Option<Reason>,
    operators: usize,
}

impl Findings {
    /// The finding that is reported.
    fn first(&mut self, kind: ExpressionKind) -> Option<Reason> {
        let parentheses = self
            .redundant_parentheses
            .then_some(Reason::RedundantParentheses);
        let unknown = self
            .unknown_function
            .take()
            .map(|name| Reason::UnknownFunction { name });
        let misused = self
            .misused_function
            .map(|f| Reason::MisusedFunction { name: f.name() });
        let reserved = self
            .reserved_word
            .take()
            .map(|word| Reason::ReservedWord { word });
        let section = self
            .repeated_section
            .map(|section| Reason::RepeatedSection { section });
        let operators =
            (self.operators > super::MAX_OPERATORS).then_some(Reason::TooManyOperators {
                count: super::MAX_OPERATORS + 1,
            });
        let by_text = if kind == ExpressionKind::Update {
            reserved.or(unknown).or(section)
        } else {
            parentheses.or(unknown).or(misused).or(reserved)
        };
        by_text.or(self.limit.take()).or(operators)
    }
}

/// The state of parsing one text.
struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    position: usize,
    kind: ExpressionKind,
    slots: Slots,
    findings: Findings,
    /// The positions of the parentheses closed last, if they are a group and not a function's.
    group: Option<(usize, usize)>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, kind: ExpressionKind) -> Self {
        Self {
            text,
            tokens: tokens(text),
            position: 0,
            kind,
            slots: Slots::default(),
            findings: Findings::default(),
            group: None,
        }
    }

    /// The token at a distance. Behind the last token there are only ends.
    fn token(&self, distance: usize) -> Token {
        let end = Token {
            kind: Kind::End,
            start: self.text.len(),
            end: self.text.len(),
        };
        self.tokens
            .get(self.position + distance)
            .copied()
            .unwrap_or(end)
    }

    fn peek(&self) -> Token {
        self.token(0)
    }

    fn text_of(&self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// Steps over the token, if it is of that kind.
    fn accept(&mut self, kind: Kind) -> bool {
        let accepted = self.peek().kind == kind;
        if accepted {
            self.position += 1;
        }
        accepted
    }

    fn expect(&mut self, kind: Kind) -> Result<(), Reason> {
        if self.accept(kind) {
            Ok(())
        } else {
            Err(self.syntax_error())
        }
    }

    /// Whether the next token is that word, in whatever case.
    fn at_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Identifier && self.text_of(token).eq_ignore_ascii_case(word)
    }

    /// Steps over that word.
    fn accept_word(&mut self, word: &str) -> bool {
        let accepted = self.at_word(word);
        if accepted {
            self.position += 1;
        }
        accepted
    }

    /// Whether the next token is a keyword of the grammar at hand.
    fn at_keyword(&self) -> bool {
        let keywords = match self.kind {
            ExpressionKind::Update => UPDATE_KEYWORDS,
            ExpressionKind::Projection => &[],
            _ => CONDITION_KEYWORDS,
        };
        keywords.iter().any(|word| self.at_word(word))
    }

    /// The next token is not allowed here. `near` runs from the token before it to the one behind
    /// it; at the end of the text it is the last token alone.
    fn syntax_error(&self) -> Reason {
        let token = self.peek();
        let before = self
            .position
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before));
        let start = before.map_or(token.start, |before| before.start);
        let next = self.token(1);
        let (name, end) = match token.kind {
            Kind::End => ("<EOF>", before.map_or(token.end, |before| before.end)),
            _ if next.kind == Kind::End => (self.text_of(token), token.end),
            _ => (self.text_of(token), next.end),
        };
        Reason::Syntax {
            token: name.to_owned(),
            near: self.text.get(start..end).unwrap_or_default().to_owned(),
        }
    }

    /// Refuses what nests deeper than any valid expression.
    fn check_depth(&self, depth: usize) -> Result<(), Reason> {
        if depth > MAX_DEPTH {
            return Err(Reason::TooManyOperators {
                count: super::MAX_OPERATORS + 1,
            });
        }
        Ok(())
    }

    /// `item, item, …`
    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Reason>,
    ) -> Result<Vec<T>, Reason> {
        let mut items = vec![item(self)?];
        while self.accept(Kind::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `name.name[0]…`
    fn path(&mut self) -> Result<Path, Reason> {
        let first = self.name()?;
        let mut path = Path(vec![first]);
        self.extend(&mut path)?;
        Ok(path)
    }

    /// The elements of a path behind its first.
    fn extend(&mut self, path: &mut Path) -> Result<(), Reason> {
        loop {
            if self.accept(Kind::Dot) {
                path.0.push(self.name()?);
            } else if self.accept(Kind::OpenBracket) {
                path.0.push(self.index()?);
                self.expect(Kind::CloseBracket)?;
            } else {
                break;
            }
        }
        if path.0.len() > super::MAX_PATH_ELEMENTS {
            self.findings.limit.get_or_insert(Reason::PathTooDeep {
                levels: path.0.len(),
            });
        }
        Ok(())
    }

    /// An attribute's name or placeholder.
    fn name(&mut self) -> Result<Element, Reason> {
        let token = self.peek();
        let text = self.text_of(token);
        let element = match token.kind {
            Kind::Identifier if !self.at_keyword() => {
                if is_reserved(text) {
                    self.findings
                        .reserved_word
                        .get_or_insert_with(|| text.to_owned());
                }
                Element::Attribute(text.into())
            }
            Kind::Name => Element::Name(self.slots.name(text)),
            _ => return Err(self.syntax_error()),
        };
        self.position += 1;
        Ok(element)
    }

    /// The number between brackets.
    fn index(&mut self) -> Result<Element, Reason> {
        let text = self.text_of(self.peek());
        self.expect(Kind::Number)?;
        let index = text
            .parse::<u32>()
            .ok()
            .filter(|index| *index <= super::MAX_LIST_INDEX);
        if index.is_none() {
            self.findings.limit.get_or_insert(Reason::IndexOutOfRange {
                index: text.to_owned(),
            });
        }
        Ok(Element::Index(index.unwrap_or_default()))
    }

    /// A path, a value, a call, or one of them in parentheses.
    fn operand(&mut self, depth: usize) -> Result<Operand, Reason> {
        self.check_depth(depth)?;
        let token = self.peek();
        match token.kind {
            Kind::Open => {
                let open = self.open_group();
                let mut operand = self.operand(depth + 1)?;
                self.close_group(open)?;
                if let Operand::Path(path) = &mut operand {
                    self.extend(path)?;
                }
                Ok(operand)
            }
            Kind::Value => {
                self.position += 1;
                Ok(Operand::Value(self.slots.value(self.text_of(token))))
            }
            Kind::Identifier if self.token(1).kind == Kind::Open && !self.at_keyword() => {
                Ok(Operand::Call(self.call(depth)?))
            }
            _ => Ok(Operand::Path(self.path()?)),
        }
    }

    /// Steps over `(`; gives its position.
    fn open_group(&mut self) -> usize {
        self.position += 1;
        self.position - 1
    }

    /// Steps over the `)` of a group, which is redundant if all it holds is a group.
    fn close_group(&mut self, open: usize) -> Result<(), Reason> {
        let close = self.position;
        self.expect(Kind::Close)?;
        if self.group == Some((open + 1, close - 1)) {
            self.findings.redundant_parentheses = true;
        }
        self.group = Some((open, close));
        Ok(())
    }

    /// `function(operand, …)`
    fn call(&mut self, depth: usize) -> Result<Call, Reason> {
        let name = self.text_of(self.peek());
        self.position += 2;
        let operands = self.list(|parser| parser.operand(depth + 1))?;
        self.expect(Kind::Close)?;
        self.findings.operators += 1;
        let function = if self.kind == ExpressionKind::Update {
            Function::of_updates(name)
        } else {
            self.check_use_as_operands(&operands);
            Function::of_conditions(name)
        };
        if function.is_none() {
            self.findings
                .unknown_function
                .get_or_insert_with(|| name.to_owned());
        }
        Ok(Call {
            function: function.unwrap_or(Function::Size),
            operands,
        })
    }

    /// Of the functions of conditions, only `size` gives a value to compare.
    fn check_use_as_operands(&mut self, operands: &[Operand]) {
        for operand in operands {
            if let Operand::Call(call) = operand
                && call.function != Function::Size
            {
                self.findings.misused_function.get_or_insert(call.function);
            }
        }
    }
}

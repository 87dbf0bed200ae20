//! What is known of a call's arguments, and the check of the call by its row.
//!
//! In: bound arguments, and how the query writes them. Out: the type of the
//! call; findings. Whether an argument is a constant is a matter of how it is
//! written, not of the algebra: a parameter of a function is one wherever it
//! is used, whatever the call hands in.

use rulec_functions::{Arg, Form, ResultRule, Shape, Type, Value};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::calls::callable;
use super::{Binder, Ctx};
use crate::{BindingKind, Expr, ExprKind, codes};

/// How deep the search for what varies goes; nobody writes such a constant.
const FORM_DEPTH: usize = 64;

impl Binder<'_> {
    /// How an argument is written.
    pub(super) fn form(&self, written: &ast::Expr, value: &Expr, ctx: Ctx<'_>) -> Form {
        if is_broken(value) && !matches!(written.kind, Ast::Star) {
            return Form::Broken;
        }
        self.written(written, ctx, FORM_DEPTH)
    }

    fn written(&self, expr: &ast::Expr, ctx: Ctx<'_>, depth: usize) -> Form {
        if depth == 0 {
            return Form::Other;
        }
        let all = |parts: &mut dyn Iterator<Item = &ast::Expr>| {
            let constant = |part| {
                matches!(
                    self.written(part, ctx, depth - 1),
                    Form::Literal | Form::Constant | Form::TypeOf
                )
            };
            let mut parts = parts;
            if Iterator::all(&mut parts, constant) {
                Form::Constant
            } else {
                Form::Other
            }
        };
        match &expr.kind {
            Ast::Literal(_) => Form::Literal,
            Ast::TypeOf(_) => Form::TypeOf,
            Ast::Star => Form::Star,
            Ast::Named(column) => self.written(&column.value, ctx, depth - 1),
            Ast::Name(name) => match ctx.row {
                Some(row) if row.find(&name.text).is_some() || self.scopes.find(&name.text).is_none() => {
                    Form::Column
                }
                _ => Form::Constant,
            },
            Ast::Call(call) => {
                let name = call.name.text.as_str();
                if name == "toscalar" {
                    return Form::Constant;
                }
                match callable(name) {
                    Some(function) if function.folds && self.scopes.find(name).is_none() => {
                        all(&mut call.args.iter().map(|arg| &arg.value))
                    }
                    _ => Form::Other,
                }
            }
            Ast::Unary(unary) => all(&mut std::iter::once(&*unary.operand)),
            Ast::Arithmetic(sum) => {
                all(&mut std::iter::once(&*sum.first).chain(sum.rest.iter().map(|link| &link.operand)))
            }
            Ast::Binary(binary) => all(&mut [&*binary.lhs, &*binary.rhs].into_iter()),
            Ast::And(parts) | Ast::Or(parts) => all(&mut parts.iter()),
            Ast::InList(list) => all(&mut std::iter::once(&*list.lhs).chain(&list.list)),
            Ast::Between(between) => all(&mut [&*between.operand, &*between.from, &*between.to].into_iter()),
            _ => Form::Other,
        }
    }

    /// What a dynamic value is known to hold.
    fn shape(&self, expr: &Expr) -> Shape {
        match &expr.kind {
            ExprKind::Literal(Value::Array(_)) => Shape::Array,
            ExprKind::Literal(Value::Bag(_)) => Shape::Bag,
            ExprKind::Literal(Value::Null) => Shape::Any,
            ExprKind::Literal(_) => Shape::Plain,
            ExprKind::Call { function, args } => match function.shape {
                Shape::AsFirst => args.first().map_or(Shape::Any, |first| self.shape(first)),
                shape => shape,
            },
            ExprKind::Binding(id) => match self.bindings.get(id.0).map(|binding| &binding.kind) {
                Some(BindingKind::Scalar(value)) => self.shape(value),
                _ => Shape::Any,
            },
            _ => Shape::Any,
        }
    }

    /// Checks the index of an element: whether there can be elements at all. A
    /// key of the wrong type is reported as well.
    pub(super) fn indexed(&mut self, value: &Expr, key: &Expr, step: Span, index: Span) -> bool {
        let shape = self.shape(value);
        if value.ty == Type::Dynamic && shape == Shape::Plain {
            self.error(codes::NO_MEMBERS, step, "a plain value has no elements");
            return false;
        }
        let number = matches!(key.ty, Type::Int | Type::Long);
        let (fits, needed) = match shape {
            _ if matches!(key.ty, Type::Dynamic | Type::Unknown) => (true, ""),
            Shape::Array => (number, "an integer"),
            Shape::Bag => (key.ty == Type::String, "a string"),
            _ => (number || key.ty == Type::String, "an integer or a string"),
        };
        if !fits && value.ty == Type::Dynamic {
            self.error(
                codes::WRONG_TYPE,
                index,
                format!(
                    "{needed} is needed to find an element, but this is of type `{}`",
                    key.ty
                ),
            );
        }
        true
    }

    /// The type a row gives for arguments; what does not fit is reported, at
    /// `places` where it is an argument, else `at`. Without `forms`, nothing
    /// is known of how the arguments are written.
    #[allow(
        clippy::too_many_arguments,
        reason = "all of it goes into one finding or one call"
    )]
    pub(super) fn result_type(
        &mut self,
        rule: ResultRule,
        name: &str,
        operator: bool,
        args: &[Expr],
        forms: &[Form],
        places: &[Span],
        at: Span,
    ) -> Type {
        let literals: Vec<Option<Value>> = args.iter().map(|a| self.literal_of(a)).collect();
        let given: Vec<Arg<'_>> = args
            .iter()
            .zip(&literals)
            .enumerate()
            .map(|(i, (arg, literal))| Arg {
                ty: arg.ty,
                literal: literal.as_ref(),
                form: match forms.get(i) {
                    Some(form) => *form,
                    None if is_broken(arg) => Form::Broken,
                    None => Form::Other,
                },
                shape: self.shape(arg),
            })
            .collect();
        match rule(&given) {
            Ok(ty) => ty,
            Err(mismatch) => {
                let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
                for error in &mismatch.errors {
                    self.type_error(name, operator, error, &types, places, at);
                }
                mismatch.ty
            }
        }
    }
}

/// Whether a value stands for a mistake that was reported, or is made of such.
pub(super) fn is_broken(value: &Expr) -> bool {
    value.ty == Type::Unknown
        && match &value.kind {
            ExprKind::Literal(Value::Null) => true,
            // What has no type although its operands have.
            ExprKind::Call { args, .. } => {
                !args.is_empty() && args.iter().all(|arg| arg.ty != Type::Unknown || is_broken(arg))
            }
            _ => false,
        }
}

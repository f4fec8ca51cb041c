//! Arithmetic of JSON numbers for schemas: exact where binary64 would surprise.

use serde_json::Number;

use crate::json;

/// True where the number has no fraction, however it is written.
pub(super) fn is_integer(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// True where the number is a multiple of the divisor, both taken as the decimal numbers that
/// people wrote: 19.99 is a multiple of 0.01, although their binary64 values are not.
pub(super) fn is_multiple(number: &Number, divisor: &Number) -> bool {
    if let (Some(number), Some(divisor)) = (json::integer(number), json::integer(divisor)) {
        return divisor != 0 && number % divisor == 0;
    }
    let scaled = decimal(number).zip(decimal(divisor)).and_then(|(left, right)| {
        let exponent = left.1.min(right.1);
        Some((scale(left, exponent)?, scale(right, exponent)?))
    });
    match scaled {
        Some((number, divisor)) => divisor != 0 && number % divisor == 0,
        // So far apart that no decimal digits overlap.
        None => {
            let quotient = number.as_f64().zip(divisor.as_f64()).map(|(left, right)| left / right);
            quotient.is_some_and(|quotient| quotient.is_finite() && quotient.fract() == 0.0)
        }
    }
}

/// The shortest decimal that reads back as the number: digits and exponent of ten.
fn decimal(number: &Number) -> Option<(i128, i32)> {
    let text = match number.as_i128() {
        Some(integer) => return Some((integer, 0)),
        None => format!("{:e}", number.as_f64()?),
    };
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    Some((digits, exponent.parse::<i32>().ok()? - places))
}

fn scale((digits, exponent): (i128, i32), to: i32) -> Option<i128> {
    let power = u32::try_from(exponent - to).ok()?;
    digits.checked_mul(10_i128.checked_pow(power)?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::is_multiple;

    fn multiple(number: &Value, divisor: &Value) -> bool {
        match (number, divisor) {
            (Value::Number(number), Value::Number(divisor)) => is_multiple(number, divisor),
            _ => false,
        }
    }

    #[test]
    fn multiples_are_those_of_the_decimal_numbers() {
        for (number, divisor) in [
            (json!(10), json!(5)),
            (json!(0), json!(0.1)),
            (json!(0.3), json!(0.1)),
            (json!(19.99), json!(0.01)),
            (json!(-4.5), json!(1.5)),
            (json!(0.0075), json!(0.0001)),
            (json!(1e300), json!(2)),
            (json!(4.0), json!(2)),
        ] {
            assert!(multiple(&number, &divisor), "{number} {divisor}");
        }
        for (number, divisor) in [
            (json!(7), json!(2)),
            (json!(0.007_51), json!(0.0001)),
            (json!(35), json!(1.5)),
            (json!(9_007_199_254_740_993_i64), json!(2)),
        ] {
            assert!(!multiple(&number, &divisor), "{number} {divisor}");
        }
    }
}

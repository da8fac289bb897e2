//! Enums that are read from few bytes.

/// Defines an enum of which one byte chooses the variant; its fields follow. `derive(Arbitrary)` takes four bytes.
///
/// The lowest bytes are the variants in their order, so a program can be written by hand; then it begins anew.
macro_rules! choice {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $(
                $(#[$about:meta])*
                $variant:ident $(($($item:ty),+))? $({ $($field:ident: $type:ty),+ $(,)? })?
            ),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        $visibility enum $name {
            $($(#[$about])* $variant $(($($item),+))? $({ $($field: $type),+ })?),+
        }

        impl<'a> arbitrary::Arbitrary<'a> for $name {
            fn arbitrary(bytes: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
                let variants: &[fn(&mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self>] = &[$(
                    |_bytes| Ok(Self::$variant
                        $(($(<$item as arbitrary::Arbitrary>::arbitrary(_bytes)?),+))?
                        $({ $($field: <$type as arbitrary::Arbitrary>::arbitrary(_bytes)?),+ })?)
                ),+];
                let chosen: u8 = bytes.arbitrary()?;
                variants[usize::from(chosen) % variants.len()](bytes)
            }
        }
    };
}

pub(crate) use choice;

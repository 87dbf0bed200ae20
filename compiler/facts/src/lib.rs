//! What the compiler believes: the data under schema/ and templates/, embedded

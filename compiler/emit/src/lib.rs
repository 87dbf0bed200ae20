//! Rules to artifacts, with a loss ledger

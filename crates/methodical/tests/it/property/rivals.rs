//! Several clients on the same few records. There is no telling who is first: afterwards the
//! history has to make sense all the same.

"""The same work by other ways, each written as its documentation says: what our figures stand beside."""

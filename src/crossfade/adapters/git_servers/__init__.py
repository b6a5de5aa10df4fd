"""Git servers, told how builds of their commits stand."""

//! Tables: catalog, key schema, secondary indexes, capacity.

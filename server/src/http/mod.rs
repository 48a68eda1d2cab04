//! The HTTP front: connections, routing by `X-Amz-Target`, the error envelope, health.

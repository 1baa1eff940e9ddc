//! Encoders whose bytes are frozen because digests depend on them: gzip, tar headers, YAML.

"""Pure windowed state machines that find frustration in interactions: no Kafka, no Redis, no rrweb, no clock."""

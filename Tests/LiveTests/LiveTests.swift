import Testing

/// Crashes that travel through the six real processes, over a real broker, to a real gdb.
///
/// The suites below share one stack and run one test after the other: some of them kill what others need.
@Suite("The whole journey", .serialized, .stack)
enum LiveTests {}

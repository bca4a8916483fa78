import Testing

/// Gives a suite one ``Stack`` for all its tests, and sees that nothing of it is left afterwards.
struct StackTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await Stack.with { stack in
            try await Stack.$running.withValue(stack) { try await function() }
        }
    }
}

extension Trait where Self == StackTrait {
    /// One stack for the whole suite.
    static var stack: Self { Self() }
}

/// The stack that the suite runs on.
func runningStack() throws -> Stack {
    guard let stack = Stack.running else { throw Stack.Failure(description: "the suite lacks the trait .stack") }
    return stack
}

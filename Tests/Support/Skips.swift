import Glibc
package import Testing

extension Tag {
    /// The tag of tests with sockets.
    @Tag package static var network: Self
    /// The tag of tests of captures.
    @Tag package static var capture: Self
    /// The tag of tests that take seconds.
    @Tag package static var slow: Self
}

/// A requirement of a test; without it the test is skipped, or fails under `WEIR_NO_SKIPS=1`.
package struct Requirement: TestTrait, TestScoping {
    let what: String
    let isMet: @Sendable () -> Bool

    /// Whether a missing requirement is a failure: in CI everything is there.
    package static var isStrict: Bool { getenv("WEIR_NO_SKIPS").map { String(cString: $0) } == "1" }

    /// Runs the test, or reports why it does not run.
    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        guard !isMet() else { return try await function() }
        guard !Self.isStrict else {
            Issue.record("skipped, and WEIR_NO_SKIPS=1 allows no skips: the test needs \(what)")
            return
        }
        try Test.cancel("needs \(what)")
    }
}

extension Trait where Self == Requirement {
    /// The requirement of root: raw sockets, network namespaces.
    package static var needsRoot: Self { .needs("root") { geteuid() == 0 } }

    /// The requirement of IPv6 on the loopback.
    package static var needsIPv6: Self { .needs("IPv6") { LoopbackSocket.hasIPv6 } }

    /// Requires a program of another package.
    package static func needsProgram(_ name: String) -> Self { .needs(name) { ChildProgram.exists(name) } }

    /// The requirement of the captures in `WEIR_CORPUS`.
    package static var needsCorpus: Self { .needs("the captures of WEIR_CORPUS") { Corpus.folder != nil } }

    /// The requirement of the small captures in `WEIR_CASES`.
    package static var needsCases: Self { .needs("the captures of WEIR_CASES") { Cases.folder != nil } }

    /// Requires anything else.
    package static func needs(_ what: String, if isMet: @escaping @Sendable () -> Bool) -> Self {
        Requirement(what: what, isMet: isMet)
    }
}

/// The size of tests.
package enum TestSize {
    /// Whether a sanitizer makes everything an order of magnitude slower: `WEIR_SANITIZED=1`.
    package static var isSanitized: Bool { getenv("WEIR_SANITIZED").map { String(cString: $0) } == "1" }

    /// Returns a number of bytes, reduced to an eighth under a sanitizer.
    package static func bytes(_ count: Int) -> Int { isSanitized ? count / 8 : count }
}

import Glibc
package import Testing

extension Tag {
    /// Marks tests with sockets.
    @Tag package static var network: Self
    /// Marks tests of captures.
    @Tag package static var capture: Self
    /// Marks tests that take seconds.
    @Tag package static var slow: Self
}

/// Says what a test cannot do without; where it is missing the test is skipped, or fails under `WEIR_NO_SKIPS=1`.
package struct Requirement: TestTrait, TestScoping {
    let what: String
    let isMet: @Sendable () -> Bool

    /// Tells whether a missing requirement is a failure: in CI everything is there.
    package static var isStrict: Bool { getenv("WEIR_NO_SKIPS").map { String(cString: $0) } == "1" }

    /// Runs the test, or says why not.
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
    /// Needs the rights of root: raw sockets, network namespaces.
    package static var needsRoot: Self { .needs("root") { geteuid() == 0 } }

    /// Needs IPv6 on the loopback.
    package static var needsIPv6: Self { .needs("IPv6") { LoopbackSocket.hasIPv6 } }

    /// Needs a program of another package.
    package static func needsProgram(_ name: String) -> Self { .needs(name) { ChildProgram.exists(name) } }

    /// Needs the captures of `WEIR_CORPUS`.
    package static var needsCorpus: Self { .needs("the captures of WEIR_CORPUS") { Corpus.folder != nil } }

    /// Needs the small captures of `WEIR_CASES`.
    package static var needsCases: Self { .needs("the captures of WEIR_CASES") { Cases.folder != nil } }

    /// Needs anything else.
    package static func needs(_ what: String, if isMet: @escaping @Sendable () -> Bool) -> Self {
        Requirement(what: what, isMet: isMet)
    }
}

/// Tells how much the tests may carry.
package enum TestSize {
    /// Tells whether a sanitizer makes everything an order of magnitude slower: `WEIR_SANITIZED=1`.
    package static var isSanitized: Bool { getenv("WEIR_SANITIZED").map { String(cString: $0) } == "1" }

    /// Returns a number of bytes, an eighth of it under a sanitizer.
    package static func bytes(_ count: Int) -> Int { isSanitized ? count / 8 : count }
}

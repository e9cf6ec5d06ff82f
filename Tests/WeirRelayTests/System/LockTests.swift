import Support
import Testing

@testable import WeirRelay

@Suite("Lock", .timeLimit(.minutes(1)))
struct LockTests {
    @Test("Lets one thread at a time look at the value, and shows it what the others did")
    func counts() async throws {
        let (threads, rounds) = (4, TestSize.isSanitized ? 20_000 : 200_000)
        // Two numbers that are equal whenever nobody is at work on them.
        let lock = Lock((first: 0, second: 0))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<threads {
                group.addTask {
                    try await runThread {
                        var isWhole = true
                        for _ in 0..<rounds {
                            lock.withLock { value in
                                isWhole = isWhole && value.first == value.second
                                value.first += 1
                                value.second += 1
                            }
                        }
                        return isWhole
                    }
                }
            }
            for try await isWhole in group { #expect(isWhole) }
        }
        #expect(lock.withLock { $0.first } == threads * rounds)
    }

    @Test("Is open again after a body that failed")
    func fails() {
        struct Failure: Error {}
        let lock = Lock(1)
        #expect(throws: Failure.self) {
            try lock.withLock { value in
                value = 2
                throw Failure()
            }
        }
        #expect(lock.withLock { $0 } == 2)
    }

    @Test("Lets go of the value with itself")
    func releases() {
        final class Guarded: Sendable {}
        weak var seen: Guarded?
        do {
            let lock = Lock<Guarded?>(Guarded())
            seen = lock.withLock { $0 }
            #expect(seen != nil)
        }
        #expect(seen == nil)
    }
}

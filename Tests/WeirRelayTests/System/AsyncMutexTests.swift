import Testing

@testable import WeirRelay

@Suite("The mutex", .timeLimit(.minutes(1)))
struct AsyncMutexTests {
    private struct Refused: Error {}

    @Test("One task passes at a time, in the order of arrival, also after one that failed")
    func passes() async throws {
        let (mutex, log) = (AsyncMutex(), Lock([String]()))
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let first = Task {
            try await mutex.pass {
                log.withLock { $0.append("first in") }
                for await _ in gate { break }
                log.withLock { $0.append("first out") }
                throw Refused()
            }
        }
        while log.withLock({ $0.isEmpty }) { await Task.yield() }
        var others: [Task<Int, Never>] = []
        for number in 0..<3 {
            others.append(
                Task {
                    await mutex.pass {
                        log.withLock { $0.append("\(number) in") }
                        for _ in 0..<10 { await Task.yield() }
                        log.withLock { $0.append("\(number) out") }
                        return number
                    }
                }
            )
            // Until it waits.
            for _ in 0..<1000 { await Task.yield() }
        }
        #expect(log.withLock { $0 } == ["first in"])
        opener.yield()
        await #expect(throws: Refused.self) { try await first.value }
        var results: [Int] = []
        for other in others { results.append(await other.value) }
        let order = log.withLock { $0 }
        #expect(results == [0, 1, 2])
        #expect(order == ["first in", "first out", "0 in", "0 out", "1 in", "1 out", "2 in", "2 out"])
        await mutex.enter()
        await mutex.leave()
    }
}

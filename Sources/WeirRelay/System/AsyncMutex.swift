/// A lock for tasks, which pass one at a time in order of arrival, even across suspensions; an actor alone allows
/// others.
package actor AsyncMutex {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Makes a mutex that is free.
    package init() {}

    /// Waits until it is the caller's turn, and takes it; a call of `leave` must follow.
    package func enter() async {
        guard isTaken else {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Lets the next task pass.
    package func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }

    /// Runs a closure while no other task passes.
    package nonisolated func pass<Result: Sendable>(
        _ body: @Sendable () async throws -> Result
    ) async rethrows -> Result {
        await enter()
        do {
            let result = try await body()
            await leave()
            return result
        } catch {
            await leave()
            throw error
        }
    }
}

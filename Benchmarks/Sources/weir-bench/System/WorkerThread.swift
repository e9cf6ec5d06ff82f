import Glibc

/// A thread of its own for work that blocks, which the threads of Swift's tasks must not do.
struct WorkerThread: Sendable {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let identifier: pthread_t

    /// Starts the thread.
    init(_ body: @escaping @Sendable () -> Void) throws(BenchError) {
        let work = Unmanaged.passRetained(Work(body))
        var identifier = pthread_t()
        let result = pthread_create(
            &identifier,
            nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            work.toOpaque()
        )
        guard result == 0 else {
            work.release()
            throw .system(call: "pthread_create", errno: result, on: nil)
        }
        self.identifier = identifier
    }

    /// Waits until the thread has ended.
    func join() {
        pthread_join(identifier, nil)
    }
}

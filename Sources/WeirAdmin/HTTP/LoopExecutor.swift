#if Admin
import NIOCore

/// An executor that runs tasks on the thread of an event loop, which also does their I/O: a call needs no thread
/// switch.
///
/// Source: SE-0417, by which child tasks, and default actors that they enter, stay on the executor of their task.
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    private let loop: any EventLoop
    /// Whether the next job runs at once; only the loop's thread reads it.
    private var beginsNow = false

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Starts a task on the loop's thread; it has run to its end or its first suspension when this returns.
    func start(_ operation: sending @escaping @isolated(any) () async -> Void) -> Task<Void, Never> {
        loop.preconditionInEventLoop()
        beginsNow = true
        return Task(executorPreference: self, operation: operation)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if loop.inEventLoop, beginsNow {
            beginsNow = false
            return job.runSynchronously(on: asUnownedTaskExecutor())
        }
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
#endif

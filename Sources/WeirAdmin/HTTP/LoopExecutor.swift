#if Admin
import NIOCore

/// Runs tasks on the thread of an event loop, which reads and writes for them: a call costs no change of threads.
///
/// Source: SE-0417, by which child tasks, and default actors that they enter, stay on the executor of their task.
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    private let loop: any EventLoop
    /// Says that what comes next begins at once; only the loop's thread looks at it.
    private var beginsNow = false

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Begins a task, on the loop's thread: it has come to its end, or to where it waits, when this returns.
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

import NIOCore

/// Runs tasks on the thread of an event loop, which reads and writes for them: a call costs no change of threads.
///
/// Source: SE-0417, by which child tasks, and default actors that they enter, stay on the executor of their task.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}

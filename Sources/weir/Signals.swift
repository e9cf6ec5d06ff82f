import Glibc

/// Turns the signals that end the program into values.
enum Signals {
    /// Blocks SIGINT, SIGTERM and SIGHUP everywhere, ignores SIGPIPE, and hands each signal that comes to the stream.
    ///
    /// To be called before other threads exist: they inherit what is blocked.
    static func stream() -> AsyncStream<Int32> {
        signal(SIGPIPE, SIG_IGN)
        // A shell starts background jobs with SIGINT ignored, and an ignored signal never arrives. What nohup(1) ignores,
        // SIGHUP, stays ignored.
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return AsyncStream { continuation in
            var thread = pthread_t()
            let box = Unmanaged.passRetained(Box(continuation))
            let status = pthread_create(
                &thread,
                nil,
                { argument in
                    guard let argument else { return nil }
                    let continuation = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().continuation
                    var set = sigset_t()
                    sigemptyset(&set)
                    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
                    var number: Int32 = 0
                    while sigwait(&set, &number) == 0 { continuation.yield(number) }
                    return nil
                },
                box.toOpaque()
            )
            if status != 0 { box.release() }
        }
    }

    private final class Box {
        let continuation: AsyncStream<Int32>.Continuation
        init(_ continuation: AsyncStream<Int32>.Continuation) { self.continuation = continuation }
    }
}

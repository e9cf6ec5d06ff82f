import CWeir
import Glibc
import WeirEngine

/// Runs a closure on a new thread, with a name for `ps` and debuggers.
///
/// The thread blocks the signals that end a program: the main thread handles them. It also blocks SIGPIPE: a write to a
/// pipe without a reader is an error of the output, also in a program that does not ignore the signal.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    final class Box {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    let box = Unmanaged.passRetained(Box(name, body))
    var ending = sigset_t()
    var previous = sigset_t()
    sigemptyset(&ending)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&ending, number) }
    pthread_sigmask(SIG_BLOCK, &ending, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    var thread = pthread_t()
    let status = pthread_create(
        &thread,
        nil,
        { argument in
            guard let argument else { return nil }
            let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
            weir_name_thread(box.name)
            box.body()
            return nil
        },
        box.toOpaque()
    )
    guard status == 0 else {
        box.release()
        throw SystemError("start a thread", ErrorNumber(status))
    }
    pthread_detach(thread)
}

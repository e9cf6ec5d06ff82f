import Dispatch
import WeirRelay

/// A blocking body that runs on a thread of its own, such as a server that a program talks to meanwhile.
package final class Background<Value: Sendable>: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let result = Lock<Result<Value, any Error>?>(nil)

    /// Starts the body.
    package init(_ body: @escaping @Sendable () throws -> Value) throws {
        try startThread(named: "weir-test") { [self] in
            let value = Result { try body() }
            result.withLock { $0 = value }
            done.signal()
        }
    }

    /// Whether the body has ended.
    package var isOver: Bool { result.withLock { $0 != nil } }

    /// Waits for the body's end; call it once.
    package func value() throws -> Value {
        guard done.wait(timeout: .now() + 40) == .success, let result = result.withLock({ $0 }) else {
            throw HelperError("the background thread did not end")
        }
        return try result.get()
    }
}

import Dispatch
import Foundation
import Synchronization

/// Runs a body that blocks on a thread of its own, so that it keeps no other test from running.
public final class Background<Value: Sendable>: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let result = Mutex<Result<Value, any Error>?>(nil)

    /// Starts the body.
    public init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            let value = Result { try body() }
            result.withLock { $0 = value }
            done.signal()
        }
    }

    /// Waits for the body's end; to be called once.
    public func value() throws -> Value {
        guard done.wait(timeout: .now() + 40) == .success, let result = result.withLock({ $0 }) else {
            throw HelperError("the background thread did not end")
        }
        return try result.get()
    }
}

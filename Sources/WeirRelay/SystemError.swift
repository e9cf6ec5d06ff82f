public import WeirFlow

/// Says which system call failed, on what, and with which error.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    /// Says what was being done, in words: `listen on tcp 127.0.0.1:80`.
    public var attempt: String
    /// Holds the error number.
    public var error: ErrorNumber
    /// Says what the user can do about it, where something can be done.
    public var advice: String?

    /// Makes an error.
    public init(_ attempt: String, _ error: ErrorNumber, advice: String? = nil) {
        self.attempt = attempt
        self.error = error
        self.advice = advice
    }

    /// Says it in one line: `cannot listen on tcp 127.0.0.1:80: permission denied (EACCES); …`.
    public var description: String {
        "cannot \(attempt): \(error)" + (advice.map { "; \($0)" } ?? "")
    }
}

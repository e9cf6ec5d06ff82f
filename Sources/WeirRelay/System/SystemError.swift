public import WeirEngine

/// The error of a system call: what it was for, and the error number.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    /// What Weir was trying to do, in words: `listen on tcp 127.0.0.1:80`.
    public var attempt: String
    /// The error number.
    public var error: ErrorNumber
    /// Advice for the user, if there is any.
    public var advice: String?

    /// Makes an error.
    public init(_ attempt: String, _ error: ErrorNumber, advice: String? = nil) {
        self.attempt = attempt
        self.error = error
        self.advice = advice
    }

    /// The error in one line: `cannot listen on tcp 127.0.0.1:80: permission denied (EACCES); …`.
    public var description: String {
        "cannot \(attempt): \(error)" + (advice.map { "; \($0)" } ?? "")
    }
}

/// What a field means to those who search: the word of a query that asks for it.
///
/// A dissector gives its fields their roles, so that queries need no list of protocols.
public enum FieldRole: Hashable, Sendable {
    /// The method of a request: `method`.
    case method
    /// The target of a request: `path`.
    case path
    /// The status of an answer, which is an error from 400 on: `status`.
    case status
    /// A field that only errors have: `error`.
    case error
    /// A code that is an error from this number on: `error`.
    case code(errorFrom: UInt64)
    /// A code of SQL, which is an error unless it begins with 00, 01 or 02 (success, a warning, no data): `error`.
    ///
    /// Source: ISO/IEC 9075-2, section 24.1, "SQLSTATE".
    case sqlState
}

extension FieldRole {
    /// Returns whether a field of this role with a value says that something went wrong.
    func isError(_ value: FieldValue) -> Bool {
        switch (self, value) {
        case (.error, _): true
        case (.status, .number(let number)): number >= 400
        case (.code(let first), .number(let number)): number >= first
        case (.sqlState, .text(let text)): !["00", "01", "02"].contains { text.hasPrefix($0) }
        default: false
        }
    }
}

extension Message {
    /// Whether the message says that something went wrong.
    public var isError: Bool { facts.isError }
}

/// One setting of a toxic: the row that drives the command line's help, the control API and the checks.
public struct ToxicField: Hashable, Sendable {
    /// The kinds of settings.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A whole number.
        case integer
        /// A number.
        case number
        /// A text.
        case text
    }

    /// The name of the setting, as in the control API.
    public let name: String
    /// The kind of the setting.
    public let kind: Kind
    /// The unit, such as `ms`; nil if there is none.
    public let unit: String?
    /// The default value.
    public let `default`: ToxicValue
    /// The range of a number; nil for a text.
    public let range: ClosedRange<Double>?
    /// A few words of help.
    public let help: String

    /// Creates a field for a whole number.
    static func integer(
        _ name: String,
        _ unit: String? = nil,
        default value: Int = 0,
        in range: ClosedRange<Double> = 0...largestInteger,
        _ help: String
    ) -> ToxicField {
        ToxicField(name: name, kind: .integer, unit: unit, default: .int(value), range: range, help: help)
    }

    /// Creates a field for a number.
    static func number(
        _ name: String,
        default value: Double,
        in range: ClosedRange<Double> = 0...1,
        _ help: String
    ) -> ToxicField {
        ToxicField(name: name, kind: .number, unit: nil, default: .double(value), range: range, help: help)
    }

    /// Creates a field for a text.
    static func text(_ name: String, default value: String = "", _ help: String) -> ToxicField {
        ToxicField(name: name, kind: .text, unit: nil, default: .string(value), range: nil, help: help)
    }

    /// The largest whole number of a setting: a hundred years of milliseconds, 3 TB, 3 TB/s.
    static let largestInteger = 3e12
}

// MARK: - Values

extension ToxicField {
    /// Converts a value to the field's kind, and checks it.
    ///
    /// - Parameters:
    ///   - value: the given value.
    ///   - type: the toxic's type, for the error.
    /// - Returns: an integer for `integer`, a double for `number`, a string for `text`.
    /// - Throws: `ToxicError.invalid` with the field's name, and the reason.
    public func checked(_ value: ToxicValue, of type: String) throws(ToxicError) -> ToxicValue {
        let result: ToxicValue
        let number: Double
        switch (kind, value) {
        case (.text, .string): return value
        case (.integer, .int(let int)): (result, number) = (value, Double(int))
        case (.integer, .double(let double)):
            guard let int = Int(exactly: double) else { throw error(type, "takes a whole number, not \(double)") }
            (result, number) = (.int(int), double)
        case (.number, .double(let double)): (result, number) = (value, double)
        case (.number, .int(let int)): (result, number) = (.double(Double(int)), Double(int))
        case (.text, _): throw error(type, "takes a text, not \(value)")
        case (.integer, _): throw error(type, "takes a whole number, not '\(value)'")
        case (.number, _): throw error(type, "takes a number, not '\(value)'")
        }
        guard let range, !range.contains(number) else { return result }
        let bounds =
            switch kind {
            case .integer: "\(Int(range.lowerBound)) to \(Int(range.upperBound))"
            case .number, .text: "\(range.lowerBound) to \(range.upperBound)"
            }
        throw error(type, "takes a number from \(bounds), not \(value)")
    }

    /// Reads a value as written on the command line.
    ///
    /// - Parameters:
    ///   - text: the given text.
    ///   - type: the toxic's type, for the error.
    /// - Returns: the checked value.
    /// - Throws: `ToxicError.invalid` with the field's name, and the reason.
    public func value(parsing text: String, of type: String) throws(ToxicError) -> ToxicValue {
        switch kind {
        case .text: return try checked(.string(text), of: type)
        case .integer:
            guard let value = Int(text) else { throw error(type, "takes a whole number, not '\(text)'") }
            return try checked(.int(value), of: type)
        case .number:
            guard let value = Double(text), value.isFinite else { throw error(type, "takes a number, not '\(text)'") }
            return try checked(.double(value), of: type)
        }
    }

    private func error(_ type: String, _ reason: String) -> ToxicError {
        .invalid(type: type, field: name, reason: reason)
    }
}

/// Values that many rows share, each kept once: a number of 16 bits stands for one.
struct Numbered<Value: Hashable & Sendable>: Sendable {
    private var numbers: [Value: UInt16] = [:]
    private var values: [Value] = []

    subscript(number: UInt16) -> Value { values[Int(number)] }

    /// Returns the number of a value, a new one if it is the value's first time; nil if there are 65,536 others already.
    mutating func number(of value: Value) -> UInt16? {
        if let number = numbers[value] { return number }
        guard let number = UInt16(exactly: values.count) else { return nil }
        numbers[value] = number
        values.append(value)
        return number
    }
}

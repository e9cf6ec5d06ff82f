import Glibc

/// Writes numbers with a fixed number of digits.
enum Number {
    /// Writes a number rounded to so many digits behind the point, with commas between thousands.
    static func fixed(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return "—" }
        let power = pow(10, Double(digits))
        let scaled = (abs(value) * power).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let whole = UInt64(scaled)
        let unit = UInt64(power)
        let sign = value < 0 && whole > 0 ? "-" : ""
        let grouped = sign + group(whole / unit)
        guard digits > 0 else { return grouped }
        let fraction = String(whole % unit)
        return grouped + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    private static func group(_ value: UInt64) -> String {
        var digits = Array(String(value))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return String(digits)
    }
}

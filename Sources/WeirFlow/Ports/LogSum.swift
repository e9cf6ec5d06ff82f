/// Adds up logarithms of chances, as a product for as long as that fits: a logarithm a chance would be dear.
struct LogSum {
    private var sum = 0.0
    private var product = 1.0

    /// Adds the natural logarithm of a chance.
    ///
    /// - Parameter chance: above 1e-100, below 1e100.
    mutating func add(_ chance: Double) {
        product *= chance
        guard product < 1e-200 || product > 1e200 else { return }
        sum += PortMath.ln(product)
        product = 1
    }

    /// Gives the sum.
    var value: Double { sum + PortMath.ln(product) }
}

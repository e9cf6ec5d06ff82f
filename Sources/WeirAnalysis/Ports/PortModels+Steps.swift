/// The probabilities of the steps of Linux's counters.
extension PortModels {
    /// Returns the probability of a step of Linux's `connect`: 2 times 1 to 8; it is more past ports in use.
    static func connectStep(_ step: Int) -> Double {
        guard step & 1 == 0, step != 0 else { return 0 }
        if step >= 2, step <= 16 { return (1 - Stray.step) / 8 }
        return step >= -32 && step <= 2 * skip ? Stray.step / Double(skip + 8) : 0
    }

    /// Returns the probability of an even step, geometric in half its length.
    static func oneCounterStep(_ step: Int, _ place: Int) -> Double {
        guard step & 1 == 0, step >= 2, step <= 4 * skip else { return 0 }
        return oneCounterChances[place][step / 2]
    }

    private static let oneCounterChances = oneCounterShares.map { share in
        (0...(2 * skip)).map { $0 == 0 ? 0 : share * PortMath.e(Double($0 - 1) * PortMath.ln(1 - share)) }
    }

    /// Returns the probability of a step with IP_LOCAL_PORT_RANGE: 1 to 8.
    static func localStep(_ step: Int) -> Double {
        guard step != 0 else { return 0 }
        if step >= 1, step <= 8 { return (1 - Stray.step) / 8 }
        return step >= -16 && step <= skip ? Stray.step / Double(skip + 8) : 0
    }
}

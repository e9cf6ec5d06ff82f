/// How likely Linux's counters make a step.
extension PortModels {
    /// Is the chance of a step of Linux's `connect`: 2 times 1 to 8; past ports in use it is more.
    static func connectStep(_ step: Int) -> Double {
        guard step & 1 == 0, step != 0 else { return 0 }
        if step >= 2, step <= 16 { return (1 - Stray.step) / 8 }
        return step >= -32 && step <= 2 * skip ? Stray.step / Double(skip + 8) : 0
    }

    /// Is the chance of an even step, geometric in its half.
    static func oneCounterStep(_ step: Int, _ place: Int) -> Double {
        guard step & 1 == 0, step >= 2, step <= 4 * skip else { return 0 }
        return oneCounterChances[place][step / 2]
    }

    private static let oneCounterChances = oneCounterShares.map { share in
        (0...(2 * skip)).map { $0 == 0 ? 0 : share * PortMath.e(Double($0 - 1) * PortMath.ln(1 - share)) }
    }

    /// Is the chance of a step with IP_LOCAL_PORT_RANGE: 1 to 8.
    static func localStep(_ step: Int) -> Double {
        guard step != 0 else { return 0 }
        if step >= 1, step <= 8 { return (1 - Stray.step) / 8 }
        return step >= -16 && step <= skip ? Stray.step / Double(skip + 8) : 0
    }
}

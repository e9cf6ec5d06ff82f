public import WeirEngine

/// An action of a turn, with its record if it has one.
public enum TurnStep: Hashable, Sendable {
    /// An action other than a record.
    case action(FlowAction)
    /// A record, and the bytes of an earlier chunk that belong to it.
    case record(FlowRecord, copy: [UInt8]? = nil)
}

extension Turn {
    /// The actions in their order.
    public var steps: [TurnStep] { actions.map { step($0) } }

    /// Returns an action with its record.
    public func step(_ action: FlowAction) -> TurnStep {
        guard case .record(let place) = action else { return .action(action) }
        return .record(records[place].record, copy: records[place].copy)
    }
}

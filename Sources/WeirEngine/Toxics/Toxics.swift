/// The types of toxics: the table that drives the command line's help, the control API and the contract tests.
public enum Toxics {
    /// All types.
    public static let all: [ToxicType] = [
        LatencyToxic.type,
        BandwidthToxic.type,
        TimeoutToxic.type,
        ResetPeerToxic.type,
        SlicerToxic.type,
        LimitDataToxic.type,
        SlowCloseToxic.type,
        NoopToxic.type,
        LossToxic.packetLoss,
        CorruptToxic.type,
        ReplaceToxic.type,
        DNSToxic.type,
        BlackholeToxic.type,
        LossToxic.loss,
        DuplicateToxic.type,
        ReorderToxic.type,
        HoldToxic.type,
    ]

    /// Returns the type with a name; nil if there is none.
    public static func type(named name: String) -> ToxicType? { all.first { $0.name == name } }
}

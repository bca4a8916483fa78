package import CrashModel

// The leaf nouns are written as their canonical text.

extension TaskID: Codable {
    package init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }
    package func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}

extension BuildID: Codable {
    package init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }
    package func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}

extension KernelRelease: Codable {
    package init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }
    package func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}

extension ReleaseID: Codable {
    package init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }
    package func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}

extension NEVRA: Codable {
    private enum Key: String, CodingKey {
        case name, epoch, version, release, architecture
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            name: values.decode(String.self, forKey: .name), epoch: values.decode(Int.self, forKey: .epoch),
            version: values.decode(String.self, forKey: .version),
            release: values.decode(String.self, forKey: .release),
            architecture: values.decode(String.self, forKey: .architecture))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(name, forKey: .name)
        try values.encode(epoch, forKey: .epoch)
        try values.encode(version, forKey: .version)
        try values.encode(release, forKey: .release)
        try values.encode(architecture, forKey: .architecture)
    }
}

extension DumpKind: Codable {}
extension VmcoreFormat: Codable {}
extension Stage: Codable {}
extension Architecture: Codable {}
extension LoadedModule.Kind: Codable {}
extension ModuleStatus: Codable {}
extension PackageRole: Codable {}
extension TaskEvent.Kind: Codable {}

private func encodeText(_ value: some CustomStringConvertible, to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value.description)
}

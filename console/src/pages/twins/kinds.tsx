/** The icons of what submodels are about, and short names of element types. */
import {
  ApartmentOutlined,
  ApiOutlined,
  CloudOutlined,
  FileTextOutlined,
  IdcardOutlined,
  LineChartOutlined,
  PartitionOutlined,
  ProfileOutlined,
  SwapOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import type { SubmodelKind } from "./aas";

export const KIND_ICONS: Record<SubmodelKind, ReactNode> = {
  nameplate: <IdcardOutlined />,
  series: <LineChartOutlined />,
  documents: <FileTextOutlined />,
  carbon: <CloudOutlined />,
  structure: <ApartmentOutlined />,
  interfaces: <ApiOutlined />,
  technical: <ProfileOutlined />,
  mapping: <SwapOutlined />,
  other: <PartitionOutlined />,
};

/** As the standard's own drawings abbreviate them. */
export const TYPE_MARKS: Record<string, string> = {
  Property: "Prop",
  MultiLanguageProperty: "MLP",
  Range: "Range",
  File: "File",
  Blob: "Blob",
  ReferenceElement: "Ref",
  RelationshipElement: "Rel",
  AnnotatedRelationshipElement: "RelA",
  SubmodelElementCollection: "SMC",
  SubmodelElementList: "SML",
  Entity: "Ent",
  Operation: "Opr",
  Capability: "Cap",
  BasicEventElement: "Evt",
};

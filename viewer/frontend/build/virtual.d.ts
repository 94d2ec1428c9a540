declare module "virtual:dicom-keywords" {
  const keywords: Record<string, { tag: string; vr: string; vm: string }>;
  export default keywords;
}
